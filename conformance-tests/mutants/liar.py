"""Adapters that are wrong on purpose: ``python liar.py KIND``. None may satisfy a single requirement."""

import json
import sys
import time

KIND = sys.argv[1]
START = {
    "protocol": 1, "name": f"liar-{KIND}", "version": "0", "language": "python", "spec": ["1.0"],
    "roles": ["reader", "validator", "writer", "evaluator", "converter"],
    "profiles": ["core", "yaml", "archive", "sharded", "training", "layers", "evaluate",
                 "keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed", "safetensors", "numpy", "hub"],
}


def answer(seq):
    if KIND == "accept-all":
        return {"seq": seq, "outcome": "accepted", "observed": {"sections": []}}
    if KIND in {"reject-all", "chatty", "late-talker"}:
        return {"seq": seq, "outcome": "rejected", "problems": []}
    if KIND == "wrong-seq":
        return {"seq": seq + 1, "outcome": "rejected", "problems": []}
    if KIND == "error-all":
        return {"seq": seq, "outcome": "errored", "detail": "no"}
    if KIND == "skip-all":
        return {"seq": seq, "outcome": "skipped", "reason": "no"}
    if KIND == "novel-word":
        return {"seq": seq, "outcome": "valid"}
    if KIND == "no-object":
        return [seq, "rejected"]
    raise ValueError(KIND)


for line in sys.stdin:
    request = json.loads(line)
    seq = request.get("seq")
    if KIND == "chatty":
        print("warning: the sky is blue", file=sys.stderr)
    if seq is None:
        print(json.dumps(START), flush=True)
    elif KIND == "crash":
        sys.exit("boom")
    elif KIND == "hang":
        time.sleep(60)
    elif KIND == "garbage":
        print("Segmentation fault", flush=True)
    elif KIND == "not-a-number":
        print(f'{{"seq": {seq}, "outcome": "rejected", "size": NaN}}', flush=True)
    else:
        print(json.dumps(answer(seq)), flush=True)
        if KIND == "late-talker":
            print(json.dumps(answer(seq)), flush=True)
