"""HTTP: who may ask, what they may see, and the answers as JSON.  The only room with a web framework."""
