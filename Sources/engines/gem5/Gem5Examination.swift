package import Model

extension EngineExamination {
    /// What a gem5 is, a script of one line asks it: `--build-info` would say it, too, but that of 24.0 fails.
    static let gem5 = EngineExamination(
        script: #"""
            scratch=$(mktemp -d)
            cat >"$scratch/v.py" <<'END'
            from m5.defines import buildEnv
            print(buildEnv.get("USE_X86_ISA"), buildEnv.get("TARGET_ISA"))
            END
            said=$("$program" --outdir="$scratch" "$scratch/v.py" 2>/dev/null)
            rm -rf "$scratch"
            version=$(echo "$said" | sed -n '/^gem5 version/p; s/^gem5 compiled/, built/p' | tr -d '\n')
            say "engine-$name" "$version ($program)"
            if echo "$said" | grep -q '^True\|x86$'; then say gem5-x86 yes; fi
            """#,
        trial: { program, facts, machine in
            // Whoever has no access has nothing that could be tried.
            guard facts["kvm"] != nil, facts["gem5-x86"] != nil else { return nil }
            var lines = try Gem5Package.script(
                try Gem5Package.files(machine), program: program, arguments: "--mode kvm > said.txt",
                prefix: "timeout 50", machine)
            lines.append(kvmAnswer)
            return lines.joined(separator: "\n") + "\n"
        }
    ) { facts in
        let words = (facts["engine-gem5"] ?? "").split(separator: " ")
        guard let major = words.lazy.compactMap({ $0.split(separator: ".").first.flatMap { Int($0) } }).first else {
            return [.unusable("it does not say that it is gem5: name gem5.opt or gem5.fast")]
        }
        var fitness: [Fitness] = []
        if major < 22 { fitness.append(.unusable("this gem5 is too old: 22 or newer is needed")) }
        if facts["gem5-x86"] == nil { fitness.append(.unusable("this gem5 was built without the x86 ISA")) }
        fitness.append(kvm(facts))
        let memory = facts["memory"].flatMap { Int64($0) }.map { $0 << 10 }
        if let memory, let guess = Gem5Descriptor().firstMemoryGuess, memory < guess {
            fitness.append(.doubtful("less than 4 GiB of memory: one gem5 run at a time, if at all"))
        }
        return fitness
    }

    /// What the trial says: that it went well, or the last words of it, of which those of the package come first.
    private static let kvmAnswer = #"""
        if [ $? = 0 ]; then say gem5-kvm yes
        else
            L=$(sed -n 's/^usweep: [a-z-]*: //p' said.txt | head -n 1)
            say gem5-lacks "${L:-$(tail -n 1 said.txt)}"
        fi
        """#

    private static func kvm(_ facts: Facts) -> Fitness {
        if facts["kvm"] == nil {
            return .fine("no KVM for this account: setups run on gem5's own cores, slowly (the group is often 'kvm')")
        }
        if facts["gem5-kvm"] != nil {
            return .fine("KVM was tried with gem5, and can be used for setups (system: {kvm: true})")
        }
        guard let lacking = facts["gem5-lacks"], !lacking.isEmpty else {
            return .doubtful("KVM could not be tried with gem5: a setup with kvm: true may fail at once")
        }
        // gem5 counts instructions by the kernel's performance events.
        let isAboutEvents = ["perf", "Perf"].contains { lacking.holds($0) }
        let advice = isAboutEvents
            ? "; performance events may be forbidden: sysctl kernel.perf_event_paranoid=1 allows them" : ""
        return .doubtful(
            "a setup with kvm: true fails on this host: \(VisibleText.of(lacking, limit: 400))\(advice)")
    }
}

extension Gem5Engine {
    package func parameterQuestion(
        _ parameters: [Assignment], program: String, _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion? {
        guard case .named(let system, _) = settings.system else { return nil }
        return try .gem5(parameters, system, packageFiles, program: program, machine)
    }
}

extension ParameterQuestion {
    /// Brings the configuration package along, in a folder that is gone afterwards.
    static func gem5(
        _ parameters: [Assignment], _ system: String, _ package: [InputFile], program: String,
        _ machine: any LaunchingMachine
    ) throws -> ParameterQuestion {
        let document = JSON.array(
            parameters.filter { !Gem5States.isState($0) }.map {
                .object([JSON.Member("axis", .string($0.axis)), JSON.Member("value", .string($0.value))])
            })
        var lines = try Gem5Package.script(
            package, more: [("pairs.json", document.encoded)], program: program,
            arguments: "--mode bind --system \(system) --pairs pairs.json", machine)
        lines.append("sed 's/^/\(ParameterQuestion.mark)/' \(Gem5Files.output)/bind.jsonl")
        // gem5 has no part in these, which were looked at when the sweep was read.
        for state in parameters where Gem5States.isState(state) {
            lines.append(#"echo '\#(ParameterQuestion.mark){"axis": "\#(state.axis)", "ok": true}'"#)
        }
        // Nobody ends its standard input.
        lines.append("exit 0")
        return ParameterQuestion(script: lines.joined(separator: "\n") + "\n")
    }
}
