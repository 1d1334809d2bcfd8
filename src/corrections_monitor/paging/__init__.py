"""Pages on their way out: claimed from the outbox, sent over an officer's channels, recorded."""
