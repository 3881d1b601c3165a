"""What a person sees of a run: report, TensorBoard logs, console lines. All of it is computed from journal records."""
