"""JSON Schemas (draft 2020-12) of every document this project reads or writes."""
