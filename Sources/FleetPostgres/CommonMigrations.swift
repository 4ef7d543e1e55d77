/// The tables that every service's schema has beside the service's own: one text, applied to each
/// schema before the service's migrations, and numbered apart from them.
public enum CommonMigrations {
  public static let all = [
    Migration(file: "0001_messages.sql", bytes: PackageResources._001_messages_sql),
    Migration(file: "0002_parking.sql", bytes: PackageResources._002_parking_sql),
    Migration(file: "0003_replay.sql", bytes: PackageResources._003_replay_sql),
    Migration(file: "0004_effect.sql", bytes: PackageResources._004_effect_sql),
    Migration(file: "0005_retention.sql", bytes: PackageResources._005_retention_sql),
    Migration(file: "0006_partitioning.sql", bytes: PackageResources._006_partitioning_sql),
    Migration(file: "0007_lookups.sql", bytes: PackageResources._007_lookups_sql),
    Migration(file: "0008_last_try.sql", bytes: PackageResources._008_last_try_sql),
    Migration(file: "0009_open_letters.sql", bytes: PackageResources._009_open_letters_sql),
  ]
}
