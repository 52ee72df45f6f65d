//! A ground shared with the rest of the machine, on systems without namespaces.
