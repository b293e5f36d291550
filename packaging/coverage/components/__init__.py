"""One module a component: each declares COMPONENT."""
