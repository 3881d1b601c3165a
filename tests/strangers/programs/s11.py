import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.optimizers import Adam
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

tf.random.set_seed(4)

X, y = make_circles(n_samples=1200, noise=0.08, factor=0.4, random_state=4)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=4)

model = Sequential()
model.add(Input(shape=(2,)))
model.add(Dense(64))
model.add(Dense(64))
model.add(Dense(32))
model.add(Dense(1, activation='sigmoid'))

model.compile(loss='binary_crossentropy',
              optimizer=Adam(learning_rate=0.000001),
              metrics=['accuracy'])

model.fit(X_train, y_train, epochs=30, batch_size=32,
          validation_data=(X_test, y_test), verbose=2)
loss, acc = model.evaluate(X_test, y_test, verbose=0)
print('Accuracy: %.2f' % (acc * 100))
