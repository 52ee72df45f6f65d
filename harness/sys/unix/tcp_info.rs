//! The fields of `struct tcp_info`, as Linux lays it out (`<linux/tcp.h>`); each release may have
//! more of them than the one before.

use std::ops::Range;

/// Fields that a case may ask for, by their bytes. Their layout is part of the kernel's interface.
pub const TCP_INFO_FIELDS: &[(&str, Range<usize>)] = &[
    ("tcpi_ca_state", 1..2),
    ("tcpi_retransmits", 2..3),
    ("tcpi_probes", 3..4),
    ("tcpi_backoff", 4..5),
    ("tcpi_options", 5..6),
    ("tcpi_snd_mss", 16..20),
    ("tcpi_rcv_mss", 20..24),
    ("tcpi_unacked", 24..28),
    ("tcpi_sacked", 28..32),
    ("tcpi_lost", 32..36),
    ("tcpi_retrans", 36..40),
    ("tcpi_pmtu", 60..64),
    ("tcpi_snd_ssthresh", 76..80),
    ("tcpi_snd_cwnd", 80..84),
    ("tcpi_advmss", 84..88),
    ("tcpi_reordering", 88..92),
    ("tcpi_total_retrans", 100..104),
    ("tcpi_bytes_acked", 120..128),
    ("tcpi_bytes_received", 128..136),
    ("tcpi_segs_out", 136..140),
    ("tcpi_segs_in", 140..144),
    ("tcpi_notsent_bytes", 144..148),
    ("tcpi_data_segs_in", 152..156),
    ("tcpi_data_segs_out", 156..160),
    ("tcpi_delivered", 192..196),
    ("tcpi_delivered_ce", 196..200),
    ("tcpi_bytes_sent", 200..208),
    ("tcpi_bytes_retrans", 208..216),
    ("tcpi_dsack_dups", 216..220),
    ("tcpi_reord_seen", 220..224),
    ("tcpi_rcv_ooopack", 224..228),
];
