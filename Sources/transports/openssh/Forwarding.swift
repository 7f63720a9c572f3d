/// A gateway that does not connect onwards.
enum Forwarding {
    /// How both the library and the program call it.
    static let prohibited = "administratively prohibited"
    static let advice = "forbids forwarding (AllowTcpForwarding or PermitOpen in its sshd_config); ask its "
        + "administrator to allow it, or name another gateway (ProxyJump)."
}
