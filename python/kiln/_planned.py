"""Names of Kiln's contract that are not there yet, and what does their work meanwhile."""

_MEANWHILE = {
    "an update written out, as in w -= rate * g": "optim",
    "a loop over slices, as in x[i:i + n]": "data train",
    "kiln.numpy.savez": "save_safetensors load_safetensors",
    "a file of numbers": "SummaryWriter",
}
PLANNED = {name: meanwhile for meanwhile, names in _MEANWHILE.items() for name in names.split()}


def missing(name):
    """The AttributeError of a name that the package does not have."""
    text = f"module 'kiln' has no attribute '{name}'"
    return AttributeError(f"{text} yet: it is planned; meanwhile use {PLANNED[name]}" if name in PLANNED else text)
