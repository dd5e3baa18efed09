"""What people type: `Model` and the verbs around it."""
