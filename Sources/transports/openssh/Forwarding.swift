/// A gateway that does not connect onwards.
enum Forwarding {
    /// How both the library and the program call it.
    static let prohibited = "administratively prohibited"
    static let advice = "forbids forwarding (AllowTcpForwarding, DisableForwarding or PermitOpen in its "
        + "sshd_config, or options of the key in authorized_keys); ask its administrator to allow it, or name another "
        + "gateway (ProxyJump)."
}
