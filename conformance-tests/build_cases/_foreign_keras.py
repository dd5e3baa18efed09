"""Cases of the layouts of Keras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import EIGHTHS, FILES, Frozen, Place, case, joined, loads, not_written, read, refused, rezipped, tree, written
from kit import Case


def cases() -> Iterable[Case]:
    yield from keras_hdf5()
    yield from keras_archive()
    yield from keras_weights()


def keras_hdf5() -> Iterable[Case]:
    here = Place("keras-hdf5", "model.h5")
    tf_keras = replace(here, generation="keras2", reader="h5py")
    graph = Frozen("hdf5-keras2-graph", models.GRAPH, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    yield read("cnv-001-hdf5-keras2-graph", "A model of tf-keras with a layer called twice and a model inside", of=graph, place=here, cites=["CNV-001"])
    yield written("cnv-021-keras2-graph", "A graph becomes the datasets and lists that tf-keras writes", of=graph, seen=tree(graph.facts["seen"]), place=tf_keras, cites=["CNV-021"])
    yield loads("cnv-011-hdf5-keras2-graph", "tf-keras loads the graph, compiled, with the optimizer where it was", of=graph, place=replace(tf_keras, reader="tf-keras"))
    small, good = Frozen("hdf5-small", models.SMALL), "cnv-006-hdf5-whole"
    yield read(good, "An HDF5 file of one layer", of=small, place=here, cites=["CNV-006", "CNV-007", "SEC-005"])
    (content,) = FILES["hdf5-small"].values()
    for name, title, files, cites in (
        ("cnv-006-hdf5-cut-off", "An HDF5 file ends before its data", {"foreign/model.h5": content[: len(content) // 2]}, "CNV-006"),
        ("cnv-006-hdf5-no-list", "An HDF5 file lists no layers", Frozen("hdf5-no-list").files, "CNV-006"),
        ("cnv-007-hdf5-shape", "A kernel in HDF5 has fewer rows than its layer has inputs", Frozen("hdf5-other-shape").files, "CNV-007"),
        ("cnv-007-hdf5-count", "A list in HDF5 leaves out a bias that its layer has", Frozen("hdf5-one-weight-short").files, "CNV-007"),
        ("sec-005-hdf5-elsewhere", "A dataset has its bytes in a file elsewhere on the machine", Frozen("hdf5-elsewhere").files, "SEC-005"),
    ):
        yield refused(name, title, files=files, twin=good, place=here, cites=[cites], stage="bytes" if "cut" in name else "semantic")
    yield read("cnv-020-stored-otherwise", "Datasets in chunks, compressed, and the most significant byte first", of=Frozen("hdf5-stored-otherwise", models.SMALL), place=here,
               cites=["CNV-020"])
    yield read("cnv-020-lists-in-parts", "Lists of names are split into numbered parts", of=Frozen("hdf5-lists-in-parts", models.SEQUENCE), place=here, cites=["CNV-020"])
    alone, twin = Frozen("hdf5-weights-alone", models.SEQUENCE), "cnv-005-hdf5-weights-alone"
    other = {**models.SEQUENCE, "layers": [*models.SEQUENCE["layers"][:-1], models.dense("out", 3, activation="softmax")]}
    yield joined(twin, "Weights alone in HDF5 join an architecture", of=alone, place=here, cites=["CNV-007"])
    yield refused("cnv-007-hdf5-alone", "Weights alone in HDF5 beside an architecture with one unit more", twin=twin, place=here, cites=["CNV-007", "CNV-005"],
                  files={**alone.files, "architecture.json": kit.document(other)})
    code = Frozen("hdf5-code", {})
    seen = {name: value for name, value in code.observed.items() if name not in {"architecture", "defaults"}}
    yield case("cnv-008-hdf5-code", "A layer is code, which is not kept", cites=["CNV-008", "SEC-005", "CNV-001", "CNV-020"], files=code.files, op="import", accepted=seen, place=replace(here, loses=True))
    yield written("cnv-012-hdf5-float32", "A model of one layer becomes HDF5", of=small, seen=tree(small.facts["seen"]), place=tf_keras, cites=["CNV-012"])
    yield not_written("cnv-012-hdf5-float8", "HDF5 of Keras has no numbers of eight bits", files=EIGHTHS, twin="cnv-012-hdf5-float32", place=replace(here, generation="keras2"))
    newer = Frozen("hdf5-keras3", models.NEGATIVE_AXIS, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    keras3 = replace(here, generation="keras3", reader="h5py")
    yield read("cnv-001-hdf5-keras3", "A model of Keras 3 in HDF5", of=newer, place=here, cites=["CNV-001"])
    yield written("cnv-021-keras3", "A model becomes the datasets and lists that Keras 3 writes", of=newer, seen=tree(newer.facts["seen"]), place=keras3, cites=["CNV-021"])
    yield loads("cnv-011-hdf5-keras3", "Keras 3 loads a model from HDF5", of=newer, place=replace(keras3, reader="keras"), keeps=["weights", "optimizer"])


def keras_archive() -> Iterable[Case]:
    here = Place("keras-archive", "model.keras")
    h5py = replace(here, generation="keras3", reader="h5py")
    graph = Frozen("archive-keras3-graph", models.GRAPH, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    yield read("cnv-022-archive-graph", "An archive of Keras 3 with a layer called twice and a model inside", of=graph, place=here, cites=["CNV-022"])
    yield written("cnv-023-archive-graph", "A graph becomes the datasets that Keras 3 writes into an archive", of=graph, seen=tree(graph.facts["seen"]), place=h5py,
                  cites=["CNV-023"], look={"member": "model.weights.h5"})
    yield loads("cnv-011-archive-graph", "Keras 3 loads the graph, compiled, with the optimizer where it was", of=graph, place=replace(h5py, reader="keras"))
    small, good = Frozen("archive-small", models.SMALL), "cnv-006-archive-whole"
    yield read(good, "A small archive of Keras 3", of=small, place=here, cites=["CNV-006", "CNV-007", "SEC-005"])
    yield refused("sec-005-archive-elsewhere", "A dataset in an archive has its bytes in another file of the machine", files=Frozen("archive-elsewhere").files, twin=good, place=here,
                  cites=["SEC-005"])
    (content,) = FILES["archive-small"].values()
    at = content.index(b'"units": 2') + len(b'"units": ')
    yield refused("cnv-006-archive-cut-off", "An archive ends before its directory", files={"foreign/model.keras": content[: len(content) // 2]}, twin=good, place=here,
                  cites=["CNV-006"], stage="bytes")
    yield refused("cnv-006-archive-checksum", "A number in an archive is not the one of its checksum", twin=good, place=here, cites=["CNV-006"], stage="bytes",
                  files={"foreign/model.keras": content[:at] + b"3" + content[at + 1 :]})
    for name, title, old, new in (
        ("cnv-007-archive-shape", "A kernel in an archive has fewer columns than its layer has units", b'"units": 2', b'"units": 3'),
        ("cnv-007-archive-count", "An archive has a bias, and its layer has none", b'"use_bias": true', b'"use_bias": false'),
    ):
        yield refused(name, title, files={"foreign/model.keras": rezipped(content, "config.json", old, new)}, twin=good, place=here, cites=["CNV-007"])
    yield written("cnv-012-archive-float32", "A model of one layer becomes an archive", of=small, seen=tree(small.facts["seen"]), place=h5py, cites=["CNV-012"],
                  look={"member": "model.weights.h5"})
    yield not_written("cnv-012-archive-float8", "An archive of Keras has no numbers of eight bits", files=EIGHTHS, twin="cnv-012-archive-float32", place=replace(here, generation="keras3"))


def keras_weights() -> Iterable[Case]:
    here = Place("keras-weights", "model.weights.h5")
    keras3 = replace(here, generation="keras3")
    alone, twin = Frozen("weights-keras3", models.NEGATIVE_AXIS), "cnv-005-weights-by-path"
    yield joined(twin, "Weights by object path join an architecture", of=alone, place=here, cites=["CNV-006", "CNV-007"])
    other = {**models.NEGATIVE_AXIS, "layers": [*models.NEGATIVE_AXIS["layers"][:-1], models.dense("out", 3, activation="softmax")]}
    yield refused("cnv-007-weights-by-path", "Weights by object path beside an architecture with one unit more", twin=twin, place=here, cites=["CNV-007", "CNV-005"],
                  files={**alone.files, "architecture.json": kit.document(other)})
    (content,) = FILES["weights-keras3"].values()
    yield refused("cnv-006-weights-cut-off", "Weights by object path end before their data", twin=twin, place=here, cites=["CNV-006"], stage="bytes",
                  files={"foreign/model.weights.h5": content[: len(content) // 2], "architecture.json": kit.document(models.NEGATIVE_AXIS)})
    lost = replace(keras3, loses=True)
    yield written("cnv-023-weights", "A model becomes the datasets that Keras 3 writes for its weights", of=alone, seen=tree(alone.facts["seen"]), place=replace(lost, reader="h5py"),
                  cites=["CNV-023", "CNV-008"])
    yield loads("cnv-011-weights", "Keras 3 loads weights by object path into its own model", of=alone, place=replace(lost, reader="keras"), cites=["CNV-008"], **{
        "as": "weights", "json": alone.facts["json"]})
    small = Frozen("archive-small", models.SMALL)
    yield written("cnv-012-weights-float32", "A model of one layer becomes weights by object path", of=small, seen=tree(small.facts["seen"]), place=replace(lost, reader="h5py"), cites=["CNV-012"])
    yield not_written("cnv-012-weights-float8", "Weights by object path have no numbers of eight bits", files=EIGHTHS, twin="cnv-012-weights-float32", place=keras3)
    twin, files = "cnv-005-weights-small", {**Frozen("weights-elsewhere").files, "architecture.json": kit.document(models.SMALL)}
    yield joined(twin, "Weights of one layer by object path", of=Frozen("weights-small", models.SMALL), place=here, cites=["SEC-005"])
    yield refused("sec-005-weights-elsewhere", "A dataset by object path has its bytes in another file of the machine", files=files, twin=twin, place=here, cites=["SEC-005"])
