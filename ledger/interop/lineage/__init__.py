"""Lineage in the words of others: W3C PROV, FHIR Provenance, OpenLineage, and the dataset card."""
