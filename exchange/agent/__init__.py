"""A provider's agent: it stands at one site, says what the site can do, and meters what it delivers."""
