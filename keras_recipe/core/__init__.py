"""Words of the recipe that need nothing but the standard library: spec, registry, config, records, journal."""
