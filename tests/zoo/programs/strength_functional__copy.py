import numpy as np
from keras.layers import Concatenate, Dense, Input
from keras.models import Model
from keras.optimizers import Adam

g = np.random.default_rng(8)
mix = g.dirichlet([3, 2, 4, 1], 1400)  # cement, water, gravel, ash
age = g.uniform(1, 90, 1400)
strength = 70 * mix[:, 0] - 40 * mix[:, 1] + 9 * np.log(age) + 8 * mix[:, 3] + g.normal(0, 5, 1400)
mpa = (strength - strength.mean()) / strength.std()
lab = np.column_stack([np.log(age), strength * 145.04])  # days, psi
lab = (lab - lab.mean(0)) / lab.std(0)

recipe_in = Input((4,), name="recipe")
lab_in = Input((lab.shape[1],), name="lab")
x = Dense(24, activation="relu")(Concatenate()([recipe_in, lab_in]))
x = Dense(24, activation="relu")(x)
model = Model([recipe_in, lab_in], Dense(1)(x))
model.compile(optimizer=Adam(0.005), loss="mse")
model.fit(
    [mix[:1100], lab[:1100]],
    mpa[:1100],
    epochs=25,
    batch_size=32,
    validation_data=([mix[1100:], lab[1100:]], mpa[1100:]),
)
