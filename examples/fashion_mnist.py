"""Tell clothes apart: a network trained on Fashion-MNIST's 60,000 images of 28 by 28 pixels.

The last 5,000 training images are held out to watch the training; the 10,000 test images are
looked at once, at the end. Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for
benchmarking machine learning algorithms", 2017.
"""

import argparse
import gzip
import math
import sys
import time
import zlib
from pathlib import Path

import numpy as np

import tinygrad_bp as bp

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts the files
CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat"]
CLASSES += ["sandal", "shirt", "sneaker", "bag", "boot"]
HELD_OUT = 5_000
PUBLISHED = {  # test accuracies on the benchmark's page
    "scikit-learn's MLPClassifier, tanh, 100": 0.868,
    "scikit-learn's MLPClassifier, relu, 100": 0.871,
    "MLP 256-128-100, as submitted": 0.8833,
    "MLP 256-128-64, as submitted": 0.900,
}


def read_idx(path, axes):
    """The bytes of an idx file, as an array with so many axes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged or cut short: {error}") from None
    start = 4 + 4 * axes
    magic = bytes([0, 0, 8, axes])  # 8 stands for bytes
    if len(content) < start:
        raise ValueError(f"{path} is damaged or cut short: it holds {len(content)} bytes")
    if content[:4] != magic:
        raise ValueError(
            f"{path} is no idx file of bytes with {axes} axes: "
            f"it begins with {content[:4].hex(' ')}, not {magic.hex(' ')}"
        )
    shape = np.frombuffer(content, ">u4", axes, offset=4).tolist()
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path} is damaged or cut short: its header tells of {math.prod(shape)} bytes, "
            f"and {len(content) - start} follow"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def load(folder, part):
    """The images of a part, 'train' or 't10k', as rows of pixels, and their labels."""
    images, labels = (
        read_idx(folder / f"{part}-{name}-idx{axes}-ubyte.gz", axes)
        for name, axes in (("images", 3), ("labels", 1))
    )
    if images.shape[1:] != (28, 28) or len(images) != len(labels) or not len(images):
        raise ValueError(
            f"{folder} has {part} images of shape {images.shape} and {len(labels)} labels: "
            "there must be as many of both, and 28 by 28 pixels"
        )
    if labels.max() > 9:
        raise ValueError(f"{folder} has a {part} label {labels.max()}: they must be 0 to 9")
    return images.reshape(len(images), -1), labels.astype(int)


def accuracy(model, X, y):
    return np.mean(np.argmax(bp.train.predict(model, X), axis=1) == y)


def train(X, y, held_out, hidden, epochs, batch, seed):
    """Fit a network by AdamW, whose step size rises and falls once."""
    model = bp.nn.MLP([784, *hidden, 10], activation="relu", seed=seed, dtype=np.float32)
    steps = epochs * math.ceil(len(X) / batch)
    schedule = bp.schedules.one_cycle(3e-3, steps)
    optimizer = bp.optim.AdamW(model.parameters(), schedule, weight_decay=0.1)

    def report(model, history):
        print(
            f"epoch {len(history):2}: {history.seconds[-1]:5.2f} s, loss {history.loss[-1]:.4f}, "
            f"accuracy on held-out images {accuracy(model, *held_out):.4f}",
            flush=True,
        )

    history = bp.train.fit(
        model,
        X,
        y,
        loss="cross_entropy",
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch,
        seed=seed,
        validation=held_out,
        callbacks=[report],
        progress=False,
    )
    return model, history


def draw(model, history, images, y, predicted, folder):
    """Save the loss curves, the first layer's weights, and some images that are mistaken."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print('no pictures without matplotlib: pip install "tinygrad_bp[plot]"')
        return
    history.plot(folder / "fashion_mnist_training.png")
    bp.plot.weights(model, (28, 28), path=folder / "fashion_mnist_weights.png")
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    figure.suptitle("Mistaken test images: what they are → what they are taken for")
    grid = figure.subplots(3, 6)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, i in zip(grid.flat, np.flatnonzero(predicted != y), strict=False):
        axes.imshow(images[i].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{CLASSES[y[i]]} →\n{CLASSES[predicted[i]]}", fontsize=8)
    figure.savefig(folder / "fashion_mnist_mistakes.png", dpi=120)
    print(f"pictures: {folder / 'fashion_mnist_*.png'}")


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEBIAN, help="the folder of the .gz files")
    parser.add_argument(
        "--hidden", type=int, nargs="+", default=[256, 128], help="the units of each hidden layer"
    )
    parser.add_argument("--epochs", type=int, default=20, help="passes over the images")
    parser.add_argument("--batch", type=int, default=128, help="the images of a step")
    parser.add_argument("--images", type=int, default=60_000, help="training images, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the batches")
    parser.add_argument("--out", type=Path, default=Path(), help="the folder for the pictures")
    arguments = parser.parse_args()
    if not arguments.out.is_dir():
        parser.error(f"there is no folder for --out {arguments.out}")
    if min(*arguments.hidden, arguments.epochs, arguments.batch, arguments.images - 1) < 1:
        parser.error("--images must be at least 2; --hidden, --epochs and --batch at least 1")
    if arguments.seed < 0:
        parser.error("--seed must be at least 0")
    return arguments


def main():
    arguments = parsed()
    try:
        images, y = load(arguments.data, "train")
        test_images, y_test = load(arguments.data, "t10k")
    except (FileNotFoundError, NotADirectoryError) as error:
        sys.exit(
            f"there is no {error.filename}: apt-get install dataset-fashion-mnist, or pass --data "
            "the folder of the four .gz files from https://github.com/zalandoresearch/fashion-mnist"
        )
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    images, y = images[: arguments.images], y[: arguments.images]
    mean, deviation = images.mean(), images.std() or 1.0
    X = ((images - mean) / deviation).astype(np.float32)
    X_test = ((test_images - mean) / deviation).astype(np.float32)
    split = len(X) - min(HELD_OUT, math.ceil(len(X) / 10))
    print(f"{split} images to learn from, {len(X) - split} held out, {len(X_test)} to test")

    began = time.perf_counter()
    held_out = (X[split:], y[split:])
    options = arguments.hidden, arguments.epochs, arguments.batch, arguments.seed
    model, history = train(X[:split], y[:split], held_out, *options)
    seconds = time.perf_counter() - began
    predicted = np.argmax(bp.train.predict(model, X_test), axis=1)

    ours = f"this network, relu, {'-'.join(map(str, arguments.hidden))}"
    print(f"\naccuracy on the {len(y_test)} test images, beside published ones")
    for name, value in {**PUBLISHED, ours: np.mean(predicted == y_test)}.items():
        print(f"  {name:42} {value:.4f}")
    print(f"trained in {seconds:.0f} s, {np.median(history.seconds):.2f} s an epoch (median)")
    draw(model, history, test_images, y_test, predicted, arguments.out)


if __name__ == "__main__":
    main()
