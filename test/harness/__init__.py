"""What the suites share: isolation, certificates, clients, backends, and the gateway under test."""
