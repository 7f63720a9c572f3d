package import Model

extension EngineExamination {
    /// What a gem5 is, a script of one line asks it: `--build-info` would say it, too, but that of 24.0 fails.
    static let gem5 = EngineExamination(
        script: #"T=$(mktemp -d); echo "from m5.defines import buildEnv as e; print(e.get(\"USE_X86_ISA\"), "#
            + #"e.get(\"TARGET_ISA\"))" > "$T/v.py"; I=$("$p" --outdir="$T" "$T/v.py" 2>/dev/null); rm -rf "$T"; "#
            + #"say "engine-$n" "$(echo "$I" | sed -n "/^gem5 version/p; s/^gem5 compiled/, built/p" | "#
            + #"tr -d "\n") ($p)"; "#
            + #"echo "$I" | grep -q "^True\|x86$" && say gem5-x86 yes"#
    ) { facts in
        let words = (facts["engine-gem5"] ?? "").split(separator: " ")
        guard let major = words.lazy.compactMap({ $0.split(separator: ".").first.flatMap { Int($0) } }).first else {
            return [.unusable("it does not say that it is gem5: name gem5.opt or gem5.fast")]
        }
        var findings: [Finding] = []
        if major < 22 { findings.append(.unusable("this gem5 is too old: 22 or newer is needed")) }
        if facts["gem5-x86"] == nil { findings.append(.unusable("this gem5 was built without the x86 ISA")) }
        findings.append(
            .fine(
                facts["kvm"] == nil
                    ? "no KVM for this account: setups run on gem5's own cores, slowly (the group is often 'kvm')"
                    : "KVM can be used for setups (system: {kvm: true})"))
        let memory = facts["memory"].flatMap { Int64($0) }.map { $0 << 10 }
        if let memory, let guess = Gem5Descriptor().firstMemoryGuess, memory < guess {
            findings.append(.doubtful("less than 4 GiB of memory: one gem5 run at a time, if at all"))
        }
        return findings
    }
}

extension Gem5Engine {
    /// Brings the configuration package along, in a folder that is gone afterwards.
    package func parameterQuestion(
        _ parameters: [Assignment], program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? {
        guard case .named(let system, _) = settings.system else { return nil }
        let document = JSON.array(
            parameters.map {
                .object([JSON.Member("axis", .string($0.axis)), JSON.Member("value", .string($0.value))])
            })
        var files = [(path: "pairs.json", text: document.encoded)]
        for script in packageFiles {
            guard let bytes = machine.contents(script.source) else {
                throw Failure(.missingFile, "\(script.source) cannot be read")
            }
            files.append((script.path, String(decoding: bytes, as: UTF8.self)))
        }
        var lines = [
            "D=$(mktemp -d) || exit 1", "trap 'rm -rf \"$D\"' EXIT", "cd \"$D\" || exit 1",
            "mkdir \(Gem5Files.package)",
        ]
        // No line of these files ends the document: it would have to be its digest.
        for (path, text) in files {
            let end = SHA256.digest(text).hex
            lines += ["cat > '\(path)' <<'\(end)'", text, end]
        }
        let arguments = "--mode bind --system \(system) --pairs pairs.json"
        let quoted = "'\(program.replacing("'", with: "'\\''"))'"
        lines.append("\(quoted) \(Gem5Files.package)/run.py \(arguments) 2>&1 < /dev/null")
        lines.append("sed 's/^/\(ParameterQuestion.mark)/' \(Gem5Files.output)/bind.jsonl")
        // Nobody ends its standard input.
        lines.append("exit 0")
        return ParameterQuestion(script: lines.joined(separator: "\n") + "\n")
    }
}
