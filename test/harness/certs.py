"""Certificates for a run: an authority and leaves, made by openssl in a folder."""
import base64
import os
import re
import ssl
import subprocess

from . import hostile

PLACE = re.compile(r"\$\{(CERT|KEY):([^}]+)\}")


class Authority:
    """That of the folder, made by the first who asks. Leaves are named by their DNS name; `name#tag` gives further certificates for the same name, `ca` the authority, `!what`
    one that something is wrong with (hostile.py)."""

    def __init__(self, folder):
        self.folder = folder
        self.names = {}  # of the certificates made so far, by file
        os.makedirs(folder, exist_ok=True)
        self.ca, self.ca_key = self._path("ca", "crt"), self._path("ca", "key")
        self.names[self.ca] = "ca"
        if not os.path.exists(self.ca):
            self._openssl("req", "-x509", *self._new_key, "-keyout", self.ca_key, "-out", self.ca, "-days", "3650", "-subj", "/CN=test ca")

    _new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def _path(self, name, suffix):
        return os.path.join(self.folder, re.sub(r"[^A-Za-z0-9.#-]", "_", name) + "." + suffix)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def leaf(self, name):
        """(certificate file, key file), made at the first call for a name."""
        if name == "ca":
            return self.ca, self.ca_key
        if name.startswith("!"):
            return hostile.make(self, name[1:])
        cert, key = self._path(name, "crt"), self._path(name, "key")
        self.names[cert] = name
        if not os.path.exists(cert):
            dns = name.split("#")[0]
            san = "IP:" + dns if re.fullmatch(r"[\d.]+", dns) else "DNS:" + dns
            self.issue(cert, key, "/CN=" + dns, "subjectAltName=" + san)
        return cert, key

    def issue(self, cert, key, subject, *extensions):
        """A certificate with a new key into these files."""
        extensions = [word for text in (*extensions, "basicConstraints=critical,CA:FALSE") for word in ("-addext", text)]
        self._openssl("req", "-x509", *self._new_key, "-keyout", key, "-out", cert + ".tmp", "-days", "3650", "-subj", subject,
                      "-CA", self.ca, "-CAkey", self.ca_key, *extensions)
        os.rename(cert + ".tmp", cert)
        return cert, key

    def der(self, name):
        with open(self.leaf(name)[0], "rb") as file:
            block = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", file.read(), re.DOTALL)[0]
        return ssl.PEM_cert_to_DER_cert(block.decode())

    def render(self, text):
        """Replace ${CERT:name} and ${KEY:name} by the base64 that a Secret's data holds."""
        def value(match):
            with open(self.leaf(match[2])[match[1] == "KEY"], "rb") as file:
                return base64.b64encode(file.read()).decode()
        return PLACE.sub(value, text)

    def client_context(self, http2=False):
        context = ssl.create_default_context(cafile=self.ca)
        context.set_alpn_protocols(["h2"] if http2 else ["http/1.1"])
        return context

    def server_context(self, name, http2=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.leaf(name))
        if http2:
            context.set_alpn_protocols(["h2"])
        return context
