"""Whether a run has measured enough: a metric is known so well that it ends before all invocations were measured."""
import json
import subprocess


class Until:
    """To be called with the number of each measured invocation, once its statistics are in `folder`.

    The rule is not known here: `program`, the agent that started this run, applies it, and the coordinator does so
    again. A question without an answer ends nothing: all invocations are measured then.
    """

    def __init__(self, program, rule, folder, status):
        self.command, self.status, self.next = [program, "gem5", "enough", rule, folder], status, 0

    def __call__(self, number):
        if self.next is None or number < self.next:
            return False
        answer = self.ask()
        self.next = answer.get("next")
        self.status.say("interval", number=number, **answer)
        return bool(answer.get("tight"))

    def ask(self):
        try:
            done = subprocess.run(self.command, stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True)
            answer = json.loads(done.stdout) if done.returncode == 0 else {"message": done.stderr.strip()}
        except (OSError, ValueError) as error:
            answer = {"message": str(error)}
        return answer
