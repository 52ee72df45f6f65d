//! A scripted stack, so that the floors above are tested without a network.
