-- The one certificate that a trunk over TLS is taken with, SHA-256 in hex; NULL: whoever the system's authorities vouch for.
ALTER TABLE trunks ADD COLUMN tls_pin TEXT;
