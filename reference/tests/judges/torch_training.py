"""A small network of PyTorch's and the ways to train it, and what it means that two values of PyTorch's are the same."""

from collections import OrderedDict

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn

OPTIMIZERS = {
    "Adam": (lambda p: torch.optim.Adam(p, 0.01, amsgrad=True, weight_decay=0.1), "Adam"),
    "AdamW": (lambda p: torch.optim.AdamW(p, 0.01), "AdamW"),
    "SGD": (lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01), "SGD"),
    "SGD without momentum": (lambda p: torch.optim.SGD(p, 0.05), "SGD"),
    "RMSprop": (lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.5, centered=True), "RMSprop"),
    "Adagrad": (lambda p: torch.optim.Adagrad(p, 0.05, lr_decay=0.01), "Adagrad"),
    "Adamax": (lambda p: torch.optim.Adamax(p, 0.01), "Adamax"),
    "NAdam": (lambda p: torch.optim.NAdam(p, 0.01, decoupled_weight_decay=True, weight_decay=0.1), "Nadam"),
    "Adadelta": (lambda p: torch.optim.Adadelta(p, 0.5), "Adadelta"),
    "Adam upwards": (lambda p: torch.optim.Adam(p, 0.01, maximize=True), "torch:Adam"),
    "RAdam": (lambda p: torch.optim.RAdam(p, 0.01), "torch:Optimizer"),
    "Adafactor": (lambda p: torch.optim.Adafactor(p, 0.01), "torch:Optimizer"),
}
"""Optimizer -> how it is made, and the type that Triptych finds."""


def network():
    torch.manual_seed(1)
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 4, 3), norm=nn.BatchNorm2d(4), flat=nn.Flatten(), one=nn.Linear(64, 6), two=nn.Linear(6, 6), out=nn.Linear(6, 3)))


BATCH = torch.from_numpy(np.random.default_rng(0).normal(size=(8, 2, 6, 6)).astype("float32"))
CLASSES = torch.from_numpy(np.random.default_rng(1).integers(0, 3, 8))


def train(model, optimizer, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(BATCH), CLASSES)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def bits(tensor):
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous()
    return plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def assert_same(one, two, place=""):
    """Both values are equal, of the same types, in the same order, down to the bits of tensors and attributes."""
    if isinstance(one, torch.Tensor):
        assert (one.dtype, one.shape, one.requires_grad, type(one)) == (two.dtype, two.shape, two.requires_grad, type(two)), place
        if one.layout is not torch.strided:
            assert_same(one.coalesce().indices(), two.coalesce().indices(), place)
            one, two = one.coalesce().values(), two.coalesce().values()
        if one.is_quantized:
            assert (one.qscheme(), one.dequantize().tolist()) == (two.qscheme(), two.dequantize().tolist()), place
            one, two = one.int_repr(), two.int_repr()
        if not one.is_meta:
            assert bits(one) == bits(two), place
    elif isinstance(one, dict):
        assert (type(one), list(one)) == (type(two), list(two)), place
        for key in one:
            assert_same(one[key], two[key], f"{place}/{key}")
        assert getattr(one, "_metadata", None) == getattr(two, "_metadata", None), place
    elif isinstance(one, list | tuple):
        assert (type(one), len(one)) == (type(two), len(two)), place
        for index, (first, second) in enumerate(zip(one, two, strict=True)):
            assert_same(first, second, f"{place}/{index}")
    else:
        assert type(one) is type(two) and (one == two or one != one), place
