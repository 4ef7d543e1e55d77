/// The version of all programs of the platform.
public enum OrderlyVersion {
  public static let current = "0.1.0"
}
