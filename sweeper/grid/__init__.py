"""From overrides to the points of a grid."""
