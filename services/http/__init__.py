"""The door over HTTP: partners hand in with a key, on the same intake subjects as over NATS, and hear the receipt."""
