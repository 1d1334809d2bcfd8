"""Who watches the watchman (监测失明): told by ways that need neither the daemon nor its database."""
