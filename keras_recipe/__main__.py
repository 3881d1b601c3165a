"""`python -m keras_recipe`."""

from keras_recipe.cli import main

if __name__ == "__main__":
    main()
