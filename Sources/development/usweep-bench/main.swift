import Glibc

// Programs behind ops/bench: each verb does one thing many times and prints what it did as one line of JSON.
// Time and memory are measured from outside, the same way for everything that is compared.
do {
    try Bench.run(Array(CommandLine.arguments.dropFirst()))
} catch {
    _ = "usweep-bench: \(error)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(64)
}
