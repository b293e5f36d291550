"""xenwatch: the on-call engineer of a Xen host."""

__version__ = "0.1.0"
