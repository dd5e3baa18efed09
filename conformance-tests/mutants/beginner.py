"""A right reader behind an adapter with one mistake that everybody makes: ``python beginner.py KIND``."""

import json
import runpy
import sys
import time
from pathlib import Path

KIND = sys.argv[1]
MINIMAL = runpy.run_path(str(Path(__file__).resolve().parents[1] / "adapters" / "minimal.py"))


def changed(reply, request):
    """`reply` with the mistake in it, if it is one of what is said."""
    outcome = reply.get("outcome")
    if KIND == "wrong words" and outcome:
        return {**reply, "outcome": {"accepted": "valid", "rejected": "invalid"}.get(outcome, outcome)}
    if KIND == "absolute places" and outcome == "rejected":
        return {**reply, "problems": [{**one, "place": f"{request['input']}/manifest.json#/format"} for one in reply["problems"]]}
    if KIND == "bare pointers" and outcome == "rejected":
        return {**reply, "problems": [{**one, "place": "/format"} for one in reply["problems"]]}
    if KIND == "codes in words" and outcome == "rejected":
        return {**reply, "problems": [{**one, "code": "not json"} for one in reply["problems"]]}
    if KIND == "problems are texts" and outcome == "rejected":
        return {**reply, "problems": ["bad"]}
    if KIND == "seq as text" and outcome:
        return {**reply, "seq": str(reply["seq"])}
    if KIND == "codes of safetensors" and outcome == "accepted":
        return {**reply, "observed": {**reply["observed"], "tensors": {"a": {"dtype": "F32", "shape": [1], "bits": ["3f800000"]}}}}
    if KIND == "decimals" and outcome == "accepted":
        return {**reply, "observed": {**reply["observed"], "tensors": {"a": {"dtype": "float32", "shape": [1], "bits": [1.0]}}}}
    if KIND == "something else seen" and outcome == "accepted":
        return {**reply, "observed": {"sections": ["training"]}}
    if KIND == "nothing observed" and outcome == "accepted":
        return {"seq": reply["seq"], "outcome": outcome}
    if KIND == "errors for unknown operations" and outcome == "skipped":
        return {"seq": reply["seq"], "outcome": "rejected", "problems": []}
    if KIND == "reader in capitals" and not outcome:
        return {**reply, "roles": ["Reader"]}
    if KIND == "protocol as text" and not outcome:
        return {**reply, "protocol": "1"}
    if KIND == "no profiles" and not outcome:
        return {name: value for name, value in reply.items() if name != "profiles"}
    return reply


def spelled(reply):
    if KIND == "spread JSON":
        return json.dumps(reply, indent=2) + "\n"
    if KIND == "byte order mark":
        return "\ufeff" + json.dumps(reply) + "\n"
    if KIND == "CRLF":
        return json.dumps(reply) + "\r\n"
    if KIND == "printed object":
        return f"{reply}\n"
    if KIND == "blank lines":
        return json.dumps(reply) + "\n\n"
    if KIND == "no line break":
        return json.dumps(reply)
    if KIND == "answers twice":
        return 2 * (json.dumps(reply) + "\n")
    return json.dumps(reply) + "\n"


def write(text):
    data = text.encode("utf-16" if KIND == "UTF-16" else "utf-8")
    if KIND == "buffers":
        held.append(data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


held = []
if KIND == "banner":
    write("my reader 0.1 is ready\n")
if KIND == "fails at once":
    raise ImportError("no module named reader")
for line in sys.stdin.readlines() if KIND == "reads to the end" else sys.stdin:
    request = json.loads(line)
    reply = MINIMAL["START"] if request["cmd"] == "start" else {"seq": request["seq"], **MINIMAL["answer"](request)}
    if KIND == "late" and request["cmd"] == "run":
        time.sleep(1.5)
    write(spelled(changed(reply, request)))
    if KIND == "one request" and request["cmd"] == "run":
        break
sys.stdout.buffer.write(b"".join(held))
if KIND == "goes on":
    time.sleep(60)
