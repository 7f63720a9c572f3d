package import Model
import Ports
import Results

/// What usweep's working folder on a host holds.
package struct HostUse: Sendable {
    /// Files of attempts of one sweep.
    package struct Rest: Sendable {
        package let sweep: String
        package let bytes: Int64

        fileprivate init(_ sweep: String, _ bytes: Int64) {
            self.sweep = sweep
            self.bytes = bytes
        }
    }

    package let host: String
    /// Why nothing is known of the host; nil: all is.
    package private(set) var problem: String?
    /// Where runs and objects are; empty: there is no working folder.
    package private(set) var root = ""
    /// Whether an agent works there, and stays.
    package private(set) var isBusy = false
    package private(set) var agentBytes: Int64 = 0
    /// Of agents that are neither running nor this program's.
    package private(set) var oldAgentBytes: Int64 = 0
    package private(set) var objectBytes: Int64 = 0
    package private(set) var rests: [Rest] = []
    package private(set) var totalBytes: Int64 = 0
    package private(set) var freeBytes: Int64 = 0

    package var attemptBytes: Int64 { rests.reduce(0) { $0.addingCapped($1.bytes) } }

    /// Journals, logs, locks.
    package var otherBytes: Int64 { max(0, totalBytes - agentBytes - objectBytes - attemptBytes) }

    init(host: String, _ answer: HostConnections.Answer) {
        self.host = host
        var isWhole = false
        for line in answer.output.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            guard words.count >= 2, words[0] == "usweep-clean" else { continue }
            let bytes = words.count > 2 ? HostUse.bytes(words[2]) : 0
            switch words[1] {
            case "root": root = words.dropFirst(2).joined(separator: " ")
            case "busy": isBusy = words.count > 2 && words[2] == "yes"
            case "agents": agentBytes = bytes
            case "old": oldAgentBytes = bytes
            case "objects": objectBytes = bytes
            case "sweep": if words.count > 3 { rests.append(Rest(VisibleText.of(words[3], limit: 120), bytes)) }
            case "total": totalBytes = bytes
            case "free": freeBytes = bytes
            case "refused": problem = VisibleText.of(words.dropFirst(2).joined(separator: " "), limit: 400)
            case "end": isWhole = true
            default: break  // Of a login that prints such things.
            }
        }
        if !isWhole { problem = answer.end.message.isEmpty ? "it did not answer" : answer.end.message }
    }

    /// Of a number of kibibytes that the host wrote.
    private static func bytes(_ kibibytes: String) -> Int64 {
        Int64(kibibytes).map { max(0, min($0, 1 << 50)) << 10 } ?? 0
    }

    package var document: JSON {
        .object([
            JSON.Member("host", .string(host)), JSON.Member("problem", problem.map { .string($0) } ?? .null),
            JSON.Member("busy", .bool(isBusy)), JSON.Member("agents_bytes", .integer(agentBytes)),
            JSON.Member("inputs_bytes", .integer(objectBytes)), JSON.Member("attempts_bytes", .integer(attemptBytes)),
            JSON.Member("other_bytes", .integer(otherBytes)), JSON.Member("total_bytes", .integer(totalBytes)),
            JSON.Member("free_bytes", .integer(freeBytes)),
        ])
    }
}

extension HostUse {
    /// For people, with an empty line before it.
    package static func table(_ hosts: [HostUse]) throws -> String {
        func size(_ bytes: Int64) -> String { PeopleText.size(bytes) }
        let known = hosts.filter { $0.problem == nil }
        return try "\n" + TableWriter.text(
            ["HOST", "AGENTS", "INPUTS", "ATTEMPTS", "OTHER", "ALL", "FREE THERE"],
            known.map { use in
                [
                    use.host, size(use.agentBytes), size(use.objectBytes), size(use.attemptBytes),
                    size(use.otherBytes), size(use.totalBytes), size(use.freeBytes),
                ]
            })
    }

    /// - Throws: ``Failure`` (`noHost`) where some did not answer.
    package static func check(_ hosts: [HostUse]) throws {
        let problems = hosts.compactMap { use in use.problem.map { (host: use.host, reason: $0) } }
        guard !problems.isEmpty else { return }
        let lines = HostProblems.lines(problems).map { "  \($0)" }
        throw Failure(.noHost, (["not reached:"] + lines).joined(separator: "\n"))
    }
}

/// Looks at, and empties, the working folders of hosts. What an agent that stays may need is not touched.
///
/// A folder is believed to be a working folder only where an agent has left its mark, and what is deleted in it is
/// named to the letter, belongs to this user, and is not reached over a symbolic link: others may write to `/tmp`, and
/// an inventory may name any folder.
package enum HostCleaning {
    package enum Mode: String, Sendable {
        /// Changes nothing.
        case look
        /// Inputs that are kept for later runs, what the named sweeps left, agents of other versions.
        case clean
        /// The whole folder.
        case all
    }

    /// So many hosts are asked at once.
    private static let mostAtOnce = 64
    private static let patience = Duration.seconds(600)

    /// What is on the hosts afterwards, in their order. Blocks.
    ///
    /// - Parameter sweeps: whose files may go, by their full names.
    package static func run(_ mode: Mode, _ inventory: Inventory, sweeps: [String] = []) -> [HostUse] {
        let transport = HostConnections.transport(for: inventory, keepsConnections: false)
        let agent = (try? AgentBinary.read()).map { SHA256.digest($0).hex } ?? "-"
        return HostConnections.waiting {
            await withTaskGroup(of: (Int, HostUse).self) { group in
                let hosts = inventory.logins
                var found = [HostUse?](repeating: nil, count: hosts.count)
                for (index, host) in hosts.enumerated() {
                    if index >= mostAtOnce, let (done, use) = await group.next() { found[done] = use }
                    group.addTask { (index, await ask(host, mode, agent, sweeps, transport)) }
                }
                for await (done, use) in group { found[done] = use }
                return found.compactMap { $0 }
            }
        }
    }

    private static func ask(
        _ host: Model.Host, _ mode: Mode, _ agent: String, _ sweeps: [String], _ transport: any Transport
    ) async -> HostUse {
        let input = ([host.workdir, mode.rawValue, agent] + sweeps + ["end"]).map { "\($0)\n" }.joined()
        let answer = await HostConnections.ask(
            transport, host.target, command: command, input: input, patience: patience)
        return HostUse(host: host.name, answer)
    }

    /// As the coordinator's own command: one line without single quote or `!`; what varies comes by standard input.
    /// It names what it deletes, so that a folder with other things in it keeps these.
    private static let command = "exec /bin/sh -c '" + script.joined(separator: "; ") + "'"

    /// Finds R, where runs and objects are, for the folder W that the inventory names.
    ///
    /// Where the agent works if the named folder is on a file system that others share, and where its sockets are: see
    /// Workdir of AgentRuntime.
    static let finding = [
        #"case $W in "~") W=$HOME;; "~/"*) W=$HOME/${W#??};; esac"#,
        #"mine() { [ -L "$1" ] && return 1; [ -d "$1" ] && [ -O "$1" ]; }"#,
        #"name() { h=$(printf %s "$1" | sha256sum); echo "${h%"${h#????????????}"}"; }"#,
        #"U=usweep-$(id -u); R=$W"#,
        #"for L in /var/tmp /tmp; do N=$L/$U/$(name "$W"); "#
            + #"if mine "$L/$U" && mine "$N" && mine "$N/attempts"; then R=$N; fi; done"#,
    ]

    private static let script = [
        "umask 077", #"say() { echo "usweep-clean $*"; }"#, "echo",
        "IFS= read -r W && IFS= read -r M && IFS= read -r D || exit 1",
        #"X=" "; while IFS= read -r k; do case $k in end) break;; esac; X="$X$k "; done"#,
        finding.joined(separator: "; "),
        #"[ -d "$W" ] || { say end; exit 0; }"#,
        #"refuse() { say refused "$*"; say end; exit 0; }"#,
        // A sweep's full name: letters, digits, `.`, `_`, `-`, with an identifier at its end.
        #"named() { [ "$(printf %s "$1" | tr -cd "A-Za-z0-9._-")" = "$1" ] || return 1; "#
            + #"case $1 in *-????????) return 0;; esac; return 1; }"#,
        #"kib() { du -sk "$@" 2>/dev/null | { t=0; while read -r n r; do t=$((t + n)); done; echo $t; }; }"#,
        #"S=/tmp/$U/$(name "$R"); if mine "/tmp/$U" && mine "$S"; then :; else S=; fi"#,
        #"G=; for F in "$W/bin/usweep-agent-"* "$R/agent.journal" "$R/start.lock"; do [ -f "$F" ] && G=1; done"#,
        #"[ -n "$G" ] || { say end; exit 0; }"#,
        #"[ -O "$W" ] && [ -O "$R" ] || refuse "the folder $W belongs to another user""#,
        #"for F in "$R/recent" "$R/"*/ledger.sqlite; do [ -e "$F" ] && refuse "$R is an artifacts folder"; done"#,
        #"for F in "$W/bin" "$R/attempts" "$R/objects"; do if [ -e "$F" ] || [ -L "$F" ]; then mine "$F" || "#
            + #"refuse "$F is a symbolic link, or belongs to another user"; fi; done"#,
        #"[ -L "$R/start.lock" ] && refuse "$R/start.lock is a symbolic link""#,
        // Programs that other machines may run: where they see the folder, all that were in use in the last week.
        #"spared() { case $R in "$W") [ -e "$W/.usweep-shared" ] || return 1;; esac; "#
            + #"[ -n "$(find "$1" -mtime -7 2>/dev/null)" ]; }"#,
        // P: processes of agents, and what these run of themselves; I: the names of their files; A: one of these.
        #"B=$(cd "$W/bin" 2>/dev/null && pwd -P)"#,
        #"working() { P=; I=" "; for E in /proc/[0-9]*; do T=$(readlink "$E/exe" 2>/dev/null) || continue; "#
            + #"case $T in "$B/usweep-agent-"*) T=${T##*/}; T=${T%% *}; A=$B/$T; P="$P ${E#/proc/}"; I="$I$T ";; "#
            + "esac; done; }",
        "L=; working", "case $M in look) ;; *) " + cleaning.joined(separator: "; ") + ";; esac",
        #"say root "$R"; case $P$L in "") say busy no;; *) say busy yes;; esac"#,
        #"O=0; for F in "$W/bin/usweep-agent-"*; do case "$I usweep-agent-$D " in *" ${F##*/} "*) ;; "#
            + #"*) spared "$F" || O=$((O + $(kib "$F")));; esac; done"#,
        #"say agents "$(kib "$W/bin")"; say old $O; say objects "$(kib "$R/objects")""#,
        #"for F in "$R/attempts/"*; do if mine "$F" && named "${F##*/}"; then "#
            + #"say sweep "$(kib "$F")" "${F##*/}"; fi; done"#,
        #"T=$(kib "$W"); case $R in "$W") ;; *) T=$((T + $(kib "$R")));; esac; say total "$T""#,
        #"say free "$(df -Pk "$W" 2>/dev/null | { read -r x; read -r d s u f r; echo "$f"; })""#, "say end",
    ]

    private static let cleaning = [
        // No new agent begins meanwhile, and one that has nothing to do leaves.
        #"if command -v flock > /dev/null && [ -w "$R" ]; then exec 9>> "$R/start.lock"; flock -w 20 9 || L=1; fi"#,
        #"working; if [ -n "$P" ] && timeout 60 "$A" stop --if-idle --workdir "$W" > /dev/null 2>&1 < /dev/null; "#
            + #"then i=0; while [ -n "$P" ] && [ $i -lt 10 ]; do sleep 1; i=$((i + 1)); working; done; fi"#,
        #"K=usweep-agent-$D; case $M in all) K=;; esac"#,
        #"for F in "$W/bin/usweep-agent-"*; do case "$I$K " in *" ${F##*/} "*) ;; "#
            + #"*) spared "$F" || rm -f "$F";; esac; done"#,
        #"find "$W/bin" -name "part-*" -mtime +1 -exec rm -f {} + 2>/dev/null"#,
        // Journals first, where no sweep stays: an agent that finds folders without one deletes them.
        #"if [ -z "$P$L" ]; then Y=; for F in "$R/attempts/"*; do [ -d "$F" ] || continue; "#
            + #"case $M in all) named "${F##*/}" || Y=1;; *) case $X in *" ${F##*/} "*) ;; *) Y=1;; esac;; esac; done"#,
        #"if [ -z "$Y" ]; then for F in agent supervisor; do for k in journal journal.new lock log sock; do "#
            + #"rm -f "$R/$F.$k"; done; done; rm -f "$R/"setup-[0-9]*-[0-9]*.txt; fi"#,
        #"for F in "$R/attempts/"*; do mine "$F" && named "${F##*/}" || continue; case $M in all) rm -rf "$F";; "#
            + #"*) case $X in *" ${F##*/} "*) rm -rf "$F";; esac;; esac; done"#,
        #"rm -rf "$R/objects" "$R/attempts/.trash""#,
        #"case $M in all) case $R in "$W") rm -f "$R/.usweep-machine" "$R/.usweep-shared" "$W/bin/part-"*;; esac; "#
            + #"rmdir "$W/bin" "$R/attempts" 2>/dev/null; "#
            + #"[ -n "$S" ] && { rm -f "$S/agent.sock" "$S/supervisor.sock"; rmdir "$S" 2>/dev/null; }; "#
            // The lock last: by it the folder is known where all of this is typed again.
            + #"rm -f "$R/start.lock"; rmdir "$R" "$W" "/var/tmp/$U" "/tmp/$U" 2>/dev/null;; esac; fi"#,
    ]
}
