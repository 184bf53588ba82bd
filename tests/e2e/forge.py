#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Requests and results that no meshman would sign.

usage: forge.py requests MASTER COUNT NAME ...
       forge.py result ANSWER

'requests' prints an answer to ConnectPending with so many requests of
devices of which nobody has heard, each by the next of the names, in which
escapes of Python are understood; all wish to join the profile MASTER.  'result'
takes an answer to ConnectStatus and signs what it says once more, by a key
of which nobody has heard either.  Both make their keys by openssl(1).
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

CONTENT = b"application/x509-keyinfo:"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words):
    return subprocess.run(("openssl",) + words, check=True,
                          stdout=subprocess.PIPE).stdout


class Signer:
    """A key, its fingerprint, and what it signs."""

    def __init__(self, where):
        self.file = os.path.join(where, "key.pem")
        self.text = os.path.join(where, "text")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        der = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        digest = hashlib.sha512(CONTENT + hashlib.sha512(der).digest())
        letters = base64.b32encode(b"\x60" + digest.digest()[:19]).decode()
        self.udf = "-".join(letters[i:i + 5] for i in range(0, 30, 5))
        self.public = {"UDF": self.udf, "PublicParameters": {
            "PublicKeyECDH": {"crv": "Ed25519", "Public": b64(der[-32:])}}}

    def sign(self, payload):
        data = json.dumps(payload).encode()
        covered = json.dumps({"alg": "EdDSA", "val": b64(
            hashlib.sha512(data).digest())}).encode()
        with open(self.text, "wb") as f:
            f.write(covered)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey",
                            self.file, "-in", self.text)
        return {"Identifier": self.udf, "SignedData": {
            "unprotected": {"dig": "S512"}, "payload": b64(data),
            "signatures": [{"header": {"kid": self.udf},
                            "protected": b64(covered),
                            "signature": b64(signature)}]}}


def unescape(name):
    return name.encode("ascii").decode("unicode_escape")


def request(signer, master, name):
    device = signer.sign({"DeviceProfile": {
        "Identifier": signer.udf, "DeviceSignatureKey": signer.public,
        "Names": [name]}})
    return signer.sign({"ConnectionRequest": {
        "Identifier": signer.udf, "ParentUDF": master, "Device": device,
        "Nonce": b64(os.urandom(32)),
        "Time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}})


def requests(where, master, count, *names):
    made = [request(Signer(where), master, unescape(name))
            for name in names]
    return {"ConnectPendingResponse": {"Status": 201, "Pending": [
        {"SignedConnectionRequest": made[i % len(made)]}
        for i in range(int(count))]}}


def result(where, file):
    with open(file, encoding="utf-8") as f:
        answer = json.load(f)
    body = answer["ConnectStatusResponse"]
    text = body["SignedConnectionResult"]["SignedData"]["payload"]
    payload = json.loads(base64.urlsafe_b64decode(text + "=="))
    signer = Signer(where)
    payload["ConnectionResult"]["Identifier"] = signer.udf
    body["SignedConnectionResult"] = signer.sign(payload)
    return answer


with tempfile.TemporaryDirectory() as directory:
    print(json.dumps({"requests": requests, "result": result}[sys.argv[1]](
        directory, *sys.argv[2:])))
