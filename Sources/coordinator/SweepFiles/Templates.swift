/// The files that `usweep init` writes: they run anywhere, at once, and explain themselves.
public enum Templates {
    /// A sweep with engine `command` that needs nothing but `/bin/sh` and `awk`.
    ///
    /// - Parameters:
    ///   - file: its own path, as a word of a shell.
    ///   - inventory: the same of the inventory beside it.
    public static func sweep(file: String, inventory: String) -> String {
        """
        # A sweep: what is varied, what is run for each combination, what is measured.
        # What it would do:  usweep plan \(file)
        # Do it:             usweep launch \(file) -i \(inventory)

        """ + body
    }

    private static let body = #"""
        sweep: example

        # command runs any program; qemu and gem5 simulate a whole machine.
        engine: command

        # The grid: every combination of these is a point. Values keep their text: 010 stays 010.
        axes:
          size: [16, 64, 256]
          policy: [lru, random]

        # Axes that go together, and points to leave out or to add:
        # zip:
        #   - {width: [4, 6], rob: [224, 352]}
        # exclude:
        #   - {size: 256, policy: random}
        # include:
        #   - {size: 1024, policy: lru}

        # The program and its arguments, one text each. '{size}' becomes the value of the axis; the environment
        # has it too, as USWEEP_SIZE. No shell reads this line, unless you name one. The working folder is new
        # for each attempt.
        command:
          - /bin/sh
          - -c
          - |
            awk -v size="$USWEEP_SIZE" -v policy="$USWEEP_POLICY" 'BEGIN {
                printf "{\"misses\": %d}\n", 100000 / size * (policy == "random" ? 1.2 : 1)
            }' > results.json

        # The file that the program writes: an object of numbers, a list of them, or CSV.
        results: results.json

        # These must be present and finite; a run without them is quarantined, never merged.
        metrics: [misses]

        # How often each point is run.
        measure: {repeat: 1}

        # A run that takes longer, changes no file in its folder for that long, or fails more often, is given up.
        limits: {time: 10m, stall: 5m}
        retry: {attempts: 3}

        # Files and folders (with a / at the end) that runs need, beside this file; they are copied to
        # the hosts, and a change in them makes new points.
        # inputs: [run.sh, tables/]

        """#

    /// An inventory of this machine alone, with the rest shown as comments.
    public static let inventory = #"""
        # An inventory: the hosts that a sweep may use. 'usweep doctor -i INVENTORY' checks them.
        #
        # Names are what you would type after ssh: ~/.ssh/config and known_hosts are read.
        # defaults: {user: lab, workdir: ~/.usweep, slots: auto}

        hosts:
          # This machine, without SSH. slots: how many runs at a time; auto is one per core.
          - {name: here, address: local, slots: 2}

          # Many at once:
          # - node[01-16]
          # - {name: big, address: big.lab, port: 2222, slots: 32, memory: 256GiB, jump: gateway}
          # Logins that need the ssh program (RSA keys, Kerberos, security keys):
          # - {name: kerberos, address: krb.lab, transport: ssh}

        """#
}
