"""The ground floor: errors, files, progress and checked data, for everybody; it uses nothing of ours."""
