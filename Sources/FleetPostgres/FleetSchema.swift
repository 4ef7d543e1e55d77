extension SchemaDefinition {
  /// The role with which operators write what they do into the fleet's schema.
  public static let operatorRole = "orderly_operator"

  /// The fleet's own schema, owned by whoever migrates. Its files grant rights to the roles of the
  /// services, so that it is migrated together with their schemas, or after them.
  public static let fleet = SchemaDefinition(
    name: "fleet", role: nil, grantees: [operatorRole],
    components: [
      Component(
        name: "fleet",
        migrations: [
          Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql),
          Migration(file: "0002_operators.sql", bytes: PackageResources._002_operators_sql),
        ])
    ])
}
