import AgentCore
import Model
import Testing

@Suite("What Slurm's commands say")
struct SlurmOutputTests {
    @Test("Jobs of the sweep are read, whatever else is printed")
    func readsQueue() {
        let output = """
            Welcome to hpc! | maintenance on Monday | see https://hpc.example
            usweep|41|RUNNING|1795781857|n[1-2]|study-a.3|None
            usweep|42|pending|N/A||study-a.4|Priority
            usweep|43|TIMEOUT|1795778000|n1|other-b.1|TimeLimit
            usweep|44_1|RUNNING|1795781857|n1|study-a.5|None
            usweep|45|RUNNING|1795781857|n1
            usweep|46|PENDING|2026-11-27T12:17:38|(null)|study-a.6|ReqNodeNotAvail, UnavailableNodes:n[1-3]|x
            """
        let jobs = SlurmOutput.jobs(output, named: "study-a.", now: 1_795_778_257)
        #expect(
            jobs == [
                SlurmJob(id: "41", name: "study-a.3", state: "RUNNING", secondsLeft: 3_600, node: "n[1-2]"),
                SlurmJob(id: "42", name: "study-a.4", state: "PENDING", reason: "Priority"),
                SlurmJob(
                    id: "46", name: "study-a.6", state: "PENDING",
                    reason: "ReqNodeNotAvail, UnavailableNodes:n[1-3]|x", node: "(null)"),
            ])
        #expect(jobs.map(\.phase) == [.runs, .waits, .waits])
    }

    @Test("An end that is past is no negative time")
    func clampsEnds() {
        let line = "usweep|1|COMPLETING|100|n1|s.1|None\n"
        #expect(SlurmOutput.jobs(line, named: "s.", now: 200).map(\.secondsLeft) == [0])
    }

    @Test("An end that no clock means is not known", arguments: [
        "9223372036854775807", "-9223372036854775808", "-1", "0", "99999999999999999999", "N/A", "NONE",
    ])
    func doubtsEnds(_ end: String) {
        let jobs = SlurmOutput.jobs("usweep|1|RUNNING|\(end)|n1|s.1|None\n", named: "s.", now: 1_795_778_257)
        #expect(jobs.map(\.secondsLeft) == [nil])
    }

    @Test("The number of a submitted job is found behind banners and before a cluster's name", arguments: [
        ("123\n", "123"), ("sbatch wrapper 2.1\n4711;cluster\n", "4711"), ("12\nbye\n", "12"),
        ("Submitted batch job 12\n", nil), ("", nil), ("-5\n", nil), ("١٢\n", nil),
    ])
    func readsSubmission(_ output: String, _ job: String?) { #expect(SlurmOutput.submitted(output) == job) }

    @Test("Complaints come without the names of programs, on one line")
    func readsComplaints() {
        let said = "sbatch: error: Batch job submission failed: Invalid account or account/partition combination\n"
        #expect(
            SlurmOutput.complaint(said)
                == "Batch job submission failed: Invalid account or account/partition combination")
    }

    @Test("The script of a job runs the agent in its folder, whatever that is called")
    func writesScript() {
        for (bridge, verb) in [(SlurmSite.Bridge.srun, "pilot"), (.spool, "spool")] {
            let script = SlurmOutput.script(agent: "/home/a b/agent", folder: "/home/it's/1", bridge: bridge)
            #expect(script.hasPrefix("#!/bin/sh\n"))
            #expect(script.hasSuffix("exec '/home/a b/agent' \(verb) --workdir '/home/it'\\''s/1'\n"))
        }
    }
}
