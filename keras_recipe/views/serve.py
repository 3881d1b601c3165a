"""TensorBoard on loopback, without TensorFlow: `python -m keras_recipe.views.serve RUN PORT`.

TensorBoard imports TensorFlow where it is installed, for seconds in which no page is answered. It needs it for logs in
cloud storage and for checkpoints, of which a run has none; and it has a switch for installations without.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from keras_recipe.core.errors import RecipeError
from keras_recipe.views.tensorboard import FOLDER


def serve(directory: Path, port: int) -> int:
    """Serve the logs of a run, or of all runs below a folder, until the process is stopped. Returns an exit status.

    Raises RecipeError where there is no such folder.
    """
    if not directory.is_dir():
        raise RecipeError("a run directory", str(directory), "make one by `train` first, or give the folder of another")
    sys.modules["tensorboard.compat.notf"] = ModuleType("tensorboard.compat.notf")
    from tensorboard import default, program

    logs = directory / FOLDER if (directory / FOLDER).is_dir() else directory
    tensorboard = program.TensorBoard(plugins=default.get_plugins())
    tensorboard.configure(["", "--logdir", str(logs), "--host", "127.0.0.1", "--port", str(port)])
    return int(tensorboard.main() != 0)


if __name__ == "__main__":
    try:
        sys.exit(serve(Path(sys.argv[1]), int(sys.argv[2])))
    except RecipeError as error:
        sys.exit(str(error))
