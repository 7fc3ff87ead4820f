"""From a row's data source to its scorer."""
