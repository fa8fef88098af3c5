"""Certificates and keys that something is wrong with, by name: `${CERT:!expired}` and `${KEY:!expired}` in a manifest. What of them Envoy
takes is for the tests to say; `make` only writes them."""
import os
import subprocess


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *arguments], check=True, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Maker:
    """Each method gives (certificate, key), as bytes that go into a Secret. `good` is a pair that nothing is wrong with."""

    def __init__(self, authority):
        self.authority = authority
        self.good = tuple(map(read, authority.leaf("good.test")))

    def _self_signed(self, *key, days=("-days", "3650")):
        secret = openssl("genpkey", *key)
        path = os.path.join(self.authority.folder, "hostile.tmp.key")
        with open(path, "wb") as file:
            file.write(secret)
        try:
            return openssl("req", "-x509", "-key", path, "-subj", "/CN=hostile", *days, "-addext", "basicConstraints=critical,CA:FALSE"), secret
        finally:
            os.unlink(path)

    def _curve(self, name):
        return self._self_signed("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + name)

    def _signed(self, *validity):
        """By the test authority, valid as `openssl ca` is told."""
        folder = os.path.join(self.authority.folder, "ca")
        os.makedirs(folder, exist_ok=True)
        config, index = os.path.join(folder, "ca.conf"), os.path.join(folder, "index")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\nnew_certs_dir={folder}\nserial={folder}/serial\ndefault_md=sha256\n"
                       f"policy=p\nunique_subject=no\nrand_serial=yes\ndefault_crl_days=3650\n[p]\ncommonName=supplied\n"
                       f"[e]\nsubjectAltName=DNS:hostile.test\n")
        if not os.path.exists(index):
            with open(index, "w", encoding="ascii"):
                pass
        base = ("-config", config, "-cert", self.authority.ca, "-keyfile", self.authority.ca_key, "-batch")
        if validity[0] == "crl":
            openssl("ca", *base, "-revoke", self.authority.leaf(validity[1])[0])
            return openssl("ca", *base, "-gencrl")
        key, request = os.path.join(folder, "leaf.key"), os.path.join(folder, "leaf.csr")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", request,
                "-subj", "/CN=hostile.test")
        return openssl("ca", *base, "-in", request, "-notext", "-extensions", "e", *validity), read(key)

    def expired(self):
        return self._signed("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")

    def future(self):
        return self._signed("-startdate", "20800101000000Z", "-enddate", "20810101000000Z")

    def crl(self):
        """A list that revokes the leaf revoked.test."""
        return self._signed("crl", "revoked.test"), b""

    def rsa1024(self):
        return self._self_signed("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")

    def rsa2048(self):
        return self._self_signed("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    def p224(self):
        return self._curve("secp224r1")

    def p384(self):
        return self._curve("secp384r1")

    def p521(self):
        return self._curve("secp521r1")

    def koblitz(self):
        return self._curve("secp256k1")

    def brainpool(self):
        return self._curve("brainpoolP256r1")

    def ed25519(self):
        return self._self_signed("-algorithm", "ED25519")

    def ed448(self):
        return self._self_signed("-algorithm", "ED448")

    def dsa(self):
        parameters = openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:2048")
        path = os.path.join(self.authority.folder, "dsa.params")
        with open(path, "wb") as file:
            file.write(parameters)
        return self._self_signed("-paramfile", path)

    def encrypted(self):
        return self.good[0], openssl("pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:word", text=self.good[1])

    def mismatch(self):
        return self.good[0], self._curve("prime256v1")[1]

    def swapped(self):
        return self.good[1], self.good[0]

    def der(self):
        return openssl("x509", "-outform", "DER", text=self.good[0]), openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", text=self.good[1])

    def utf16(self):
        return tuple(part.decode().encode("utf-16") for part in self.good)

    def pkcs12(self):
        certificate, key = self.authority.leaf("good.test")
        bundle = openssl("pkcs12", "-export", "-passout", "pass:", "-in", certificate, "-inkey", key)
        return bundle, bundle

    def empty(self):
        return b"", b""

    def words(self):
        return b"certificate", b"key"

    def trailing(self):
        return self.good[0] + b"garbage \xff\x00 after\n", self.good[1] + b"garbage\n"

    def truncated(self):
        return self.good[0] + self.good[0][:200], self.good[1]

    def crlf(self):
        return tuple(part.replace(b"\n", b"\r\n") for part in self.good)

    def reversed(self):
        """The authority first: the leaf is then not the first."""
        return read(self.authority.ca) + self.good[0], self.good[1]

    def big(self):
        return self.good[0] + b"x" * (5 << 20), self.good[1]


def make(authority, name):
    """(certificate file, key file)."""
    paths = tuple(os.path.join(authority.folder, f"hostile-{name}.{suffix}") for suffix in ("crt", "key"))
    if not os.path.exists(paths[1]):
        for path, content in zip(paths, getattr(Maker(authority), name)()):
            with open(path, "wb") as file:
                file.write(content)
    return paths
