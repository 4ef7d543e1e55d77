extension SchemaDefinition {
  /// The fleet's own schema, owned by whoever migrates. Its files grant rights to the roles of the
  /// services, so that it is migrated together with their schemas, or after them.
  public static let fleet = SchemaDefinition(
    name: "fleet", role: nil,
    components: [
      Component(
        name: "fleet",
        migrations: [
          Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql)
        ])
    ])
}
