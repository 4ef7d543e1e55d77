import Glibc
import Testing

@testable import Telemetry

@Suite("Writing lines")
struct StandardErrorTests {
  /// Both ends of a pipe.
  private func makePipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  private func readAll(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  @Test("Lines of many tasks are whole, though the pipe is smaller than they are")
  func wholeLines() async throws {
    let ends = try makePipe()
    // Not blocking, so that writes are cut short and must be taken up again.
    _ = fcntl(ends.write, F_SETFL, O_NONBLOCK)
    let sink = StandardError(descriptor: ends.write)
    async let output = readAll(ends.read)
    await withTaskGroup { group in
      for letter in "abcd".utf8 {
        group.addTask {
          for _ in 0..<20 { sink.write(Array(repeating: letter, count: 30_000) + [0x0A]) }
        }
      }
    }
    close(ends.write)
    let lines = await output.split(separator: 0x0A)
    close(ends.read)
    #expect(lines.count == 80)
    #expect(lines.allSatisfy { $0.count == 30_000 && Set($0).count == 1 })
  }

  @Test("A reader that has gone does not stop the program")
  func closedPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    let ends = try makePipe()
    close(ends.read)
    StandardError(descriptor: ends.write).write([0x0A])
    close(ends.write)
  }
}
