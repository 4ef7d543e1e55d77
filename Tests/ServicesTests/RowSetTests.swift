import Contracts
import Testing

struct RowSetTests {
  @Test func newAndChangedRowsAreToldApartInTheOrderOfTheirFirstChange() {
    var rows = RowSet(loaded: ["a": 1, "b": 2, "c": 3])
    rows.write(9, for: "z")
    rows.write(4, for: "c")
    rows.write(5, for: "a")
    rows.write(8, for: "y")
    rows.write(6, for: "c")
    rows.write(7, for: "z")
    #expect(rows.inserted.map(\.key) == ["z", "y"])
    #expect(rows.inserted.map(\.row) == [7, 8])
    #expect(rows.updated.map(\.key) == ["c", "a"])
    #expect(rows.updated.map(\.row) == [6, 5])
    #expect(rows["b"] == 2)
    #expect(rows["none"] == nil)
  }

  @Test func writingWhatIsThereChangesNothing() {
    var rows = RowSet(loaded: ["a": 1])
    rows.write(1, for: "a")
    #expect(rows.updated.isEmpty)
    #expect(rows.inserted.isEmpty)
  }
}
