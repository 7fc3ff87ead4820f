"""Where rows come from: files, folders, hubs; their layouts and faults."""
