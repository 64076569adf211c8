# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wherefore_global_optspecs
    string join \n i/interface= daq= attach= attach-order= bpf-debug= bpf-object= s/snaplen= w/read-timeout= pcapfile= socket= sandbox= duration= config= host-name= transfer-interval= group-by= max-flows= expire-after= top= flows= alerts= series= l/log-dir= sink= state-dir= loglevel= filter-ip-cidr= filter-bool= filter-src= filter-dst= f/pcap-filter= filter-exclude= compat= anom-methods= anom-active-size= anom-n-seasons= anom-gv-cap= anom-sensitivity= anom-lower-bound= anom-upper-bound= alert-budget= alert-kinds= alert-threshold= alert-min-bytes= alert-repeat= alert-resolve= alert-cooldown= alert-limit= alert-allow= alert-country= alert-asn= alert-new= alert-new-after= alert-quiet-start= alert-learn= alert-learn-after= alert-key-scope= alert-label= geo= names= passive-dns= resolve= slack-url= slack-channel= slack-emoji= slack-icon= log-packets= archive-dir= max-pcap-log-size= max-pcap-rotations= evidence-ring= evidence-snaplen= evidence-max-size= ipfix= ipfix-rate= history= history-keep= history-size= attribution= show-arguments= hide-processes= listen= listen-token-file= h/help V/version
end

function __fish_wherefore_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wherefore_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wherefore_using_subcommand
    set -l cmd (__fish_wherefore_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wherefore -n "__fish_wherefore_needs_command" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_needs_command" -s V -l version -d 'Print version'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "run" -d 'Watch interfaces, live'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "top" -d 'Watch live in the terminal. Attached to the agent that runs, else counting by itself; or a capture, replayed'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "doctor" -d 'Check this machine. What works, what does not, what that costs and how to mend it. Exit code 1 if something does not work'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "replay" -d 'Read capture files as if they were live, on their own time. Needs no privilege'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "backtest" -d 'Say what would have alerted. When, and at which budget, over captures, flows or series'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "history" -d 'Who moved what, and when. Asks the file that the agent keeps. Needs no privilege but to read it'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "why" -d 'Why an address, process or country stands out, in sentences. What it moved, with whom, since when, and what the detector thinks of it'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "score" -d 'The detector as a filter. Numbers in, one JSON object a line out'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "geo" -d 'Print what is known of addresses: name, country, AS. One JSON object a line where standard output is no terminal'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "config" -d 'Check, show or print the configuration. What the options come to, from command line, environment and file'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "alert" -d 'Try the sinks of alerts'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "generate" -d 'Print what is made from the definition of the options'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l replay -d 'Show these capture files instead, on their own time' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l speed -d 'How many times as fast as it was recorded a replay goes' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l reorder -d 'Intervals of a replay that stay open for packets out of order; see `replay`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l json -d 'Print the result as JSON' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l reorder -d 'Intervals with packets that stay open, so that packets out of order are still counted in their own; later ones are counted in the oldest open one, and as late' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l no-progress -d 'Show no progress' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l at-budget -d 'What would have alerted at this budget; may be repeated. The first is shown in detail. Default: 1/day, 10/day and 100/day, the second in detail' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l svg -d 'Draw traffic and incidents to this file, as SVG' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l json -d 'Write JSON Lines, as wherever standard output is no terminal' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l reorder -d 'Intervals with packets of a capture that stay open, as in `replay`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l no-progress -d 'Show no progress' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l config -d 'Judge as this configuration file says; what it says of sinks, evidence and outputs counts for nothing here. Default: none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l host-name -d 'The name of the host in alerts. Default: that of this one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l transfer-interval -d 'How often what moved is judged. Default: of flows and CSV what their first two times say; of captures 5s' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. Default: 4,194,304' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l loglevel -d 'What is logged: debug, info, warn, error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l since -l from -d 'Begin then: `yesterday`, `today`, `monday`, `2h` or `3 days` (ago), `14:00`, `2026-11-28`, `2026-11-28 14:00`, or RFC 3339. Times are those of this host\'s time zone. Default: 24h ago' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l to -l until -d 'End then, in the same words. Default: now' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l by -d 'What each line is about' -r -f -a "process\t'The program that a process of this host runs'
unit\t'The systemd unit of the process'
container\t'Its container'
pod\t'Its Kubernetes pod'
user\t'Its user'
peer\t'The address of the other end'
name\t'The name of the other end'
country\t'The country that the other end\'s address is registered in'
asn\t'The autonomous system that announces the other end\'s address'
pair\t'This host\'s address, or the one that it forwards for, and the other end\'s'
port\t'The protocol and the service\'s port'
interface\t'The interface'"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l top -d 'Lines at the most; what is left out is shown as one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -s i -l interface -d 'Only what passed this interface. A packet that passes several is counted at each' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l plot -d 'Draw all of it over time, too' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l json -d 'Write one JSON object' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l csv -d 'Write CSV' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l history -d 'The file of the history. Default: `history.db` in the state directory' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l state-dir -d 'The state directory of the agent. Default: `/var/lib/wherefore`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l since -l from -d 'Begin then; the words are those of `history`. Default: 24h ago' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l to -l until -d 'End then. Default: now' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l socket -d 'Also ask the agent that has this socket how things stand now. Default: `/run/wherefore/view.sock`, where an agent has it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l json -d 'Write the facts as one JSON object' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l history -d 'The file of the history. Default: `history.db` in the state directory' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l state-dir -d 'The state directory of the agent. Default: `/var/lib/wherefore`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l series-per-line -d 'Each line is a series, comma separated, oldest point first; out comes a line of as many scores: 0 is ordinary, higher is rarer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l detector -d 'What judges. Default: `flow`, or `lytics` where the Go tool\'s methods are asked for' -r -f -a "flow\t'For short, bursty series of flows: -log10 of a rarity'
aggregate\t'For long, seasonal series of hosts, interfaces, prefixes: -log10 of a rarity'
lytics\t'The seven methods of the Go tool: a probability'"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "check" -d 'Say everything that is wrong with them; exit code 2 if anything is'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "show" -d 'Show each with its value and where it is from. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. Those that come and go while it runs are followed. Default: the one of the default route, also when that moves, else the busiest that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process, `auto` the former where it works' -r -f -a "auto\t'eBPF where it works, else libpcap; says which and why'
ebpf\t'In the kernel'
libpcap\t'In this process. The Go tool\'s `AF_PACKET` and `BSD_BPF` are this, too'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attach -d 'How eBPF programs are attached. `auto` takes tcx, on kernels before 6.6 clsact. `xdp` counts received frames before GRO, which it disables on some devices; `xdp-generic` is not told of how many segments a super-packet is, and counts it as one; what is sent is always counted at TC' -r -f -a "auto\t'tcx, else clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attach-order -d 'Where the programs are attached among those of others on the same hook, which may end the chain (Cilium\'s do). `first`: they see every packet that the device receives or is about to send; others run after them as before. `last`: they see what the others let through' -r -f -a "first\t'Before all that are there'
last\t'After all that are there'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l bpf-debug -d 'Log what the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (by eBPF 65,536 at the most)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s w -l read-timeout -d 'How long libpcap may wait for packets to hand them over together; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l socket -d 'Socket that `wherefore top` attaches to, for this user and group. Default: `view.sock` in the directory that systemd gives (`RUNTIME_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l sandbox -d 'Give up, once attached, what is not needed any more: files, ports, system calls. `off` where that refuses something that you need; the log says what is refused' -r -f -a "on\t'Landlock and seccomp, as far as the kernel has them; not with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of the packets, exactly, also of processes that have ended (eBPF, Linux 6.3 or later). `proc`: by the sockets and open files that there are at the end of each interval, so that what ended before has no owner. `auto`: the first of these that works. `off`: not at all' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l show-arguments -d 'Show the command lines of processes. They may hold secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l hide-processes -d 'Show no names, numbers and programs of processes: users, units, containers and pods only' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, `127.0.0.1:9475`. Default: nothing is served' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l listen-token-file -d 'File that holds a token of at least 16 characters; whoever asks must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from default" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say everything that is wrong with them; exit code 2 if anything is'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show each with its value and where it is from. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and say what came back'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` where it is there; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l host-name -d 'The name of this host in alerts. Default: its own' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l transfer-interval -d 'How often what moved is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l group-by -d 'What counts as one flow for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the source of what is received and the destination of what is sent; in capture files, which don\'t tell, the address that is not private'
country\t'The peer\'s country, as for its network'
asn\t'The peer\'s AS, as for its network'
name\t'The peer\'s name, as for its network; its address where it has none'
process\t'The process of this host, by the name of its program\'s file, so that a restart of it goes on with the same baseline: what it sends and what it receives. What has no owner is grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit, likewise'
container\t'The container, likewise, by its name, or 12 digits of its id'
pod\t'The Kubernetes pod, likewise, by namespace and name, or its UID'
user\t'The user, likewise'
interface\t'All that passes an interface, each direction on its own'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-flows -d 'Flows counted in one interval, and groups with a history, at the most. What exceeds it is counted as overflow. In the kernel so many flows have room in any case, and up to twice as many more where they fall well. Default: in the kernel 131,072; 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l expire-after -d 'Quiet intervals after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l top -d 'Rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l flows -d 'Write flows as JSON Lines. Live those of each interval, added to what is in the file; in a replay those of all captures, in the place of what is in the file' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alerts -d 'Write alerts as JSON Lines. To the end of the file, as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l series -d 'Write what each group moved in each interval as JSON Lines, to tune detection on; to the end of the file as `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s l -l log-dir -d 'Directory of `wherefore_anomalies.log`, and of what `--log-packets` logs. It is made where it is missing, but none above it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l sink -d 'Where alerts go: `slack,url=file:/etc/wherefore/slack`. Kind and settings, comma separated; may be repeated; a comma in a value is written `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l state-dir -d 'Directory of what must outlive the agent. Alerts that are not delivered yet, incidents that are not over, and what is usual. Default: what systemd says (`STATE_DIRECTORY`), else none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l loglevel -d 'The least severity that is logged. Fatal and panic are error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Without any, everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-bool -d 'With `false`, watch what is outside of `--filter-ip-cidr` instead' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-src -d 'The source address decides. With neither this nor `--filter-dst`, either address does' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-dst -d 'The destination address decides' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s f -l pcap-filter -d 'Watch only what this expression selects, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. Both this and the prefixes must hold. In the kernel it may be about protocols, hosts, nets and ports; anything else takes libpcap (`--daq libpcap`, which `auto` then takes) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-exclude -d 'Prefixes to leave out of what is watched; the longest prefix that holds an address counts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l compat -d 'Use the Go tool\'s defaults exactly, which alert about nothing but new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; every group judged from its first interval, alerted about each interval, whatever it moves. What is said by name still counts' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-methods -d 'Judge by these methods of the Go tool, and alert where their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Where none is named, nor any of the other anom options but --anom-gv-cap, rarity is judged (docs/detection.md); else the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-active-size -d 'Points at the end of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-n-seasons -d 'Size of the reference before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-gv-cap -d 'Points kept and tested of each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (the magnitude method, which never exceeds 1). Default: 1, at least twice or nothing at all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-budget -d 'How many incidents ordinary traffic may cause. The agent learns how rare a finding has to be for that. A number in an hour, a day or a week. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate, 1 is the default. `-KIND` leaves a kind out of all others: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-threshold -d 'An incident begins where the probability is above this, whatever the budget. With the Go tool\'s methods it is theirs (default: 0.6); else that an ordinary interval of this host has nothing as strange: 0.999 for once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; with the fence method, which has a bound of its own, 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-repeat -d 'How often an incident that lasts is told again, at the most; within a minute where it becomes more urgent, or moves ten times as much. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-resolve -d 'Quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-cooldown -d 'After an incident is over, the same group is not told anew for this long; one that lasts beyond it is. Default: 5m, with `--compat` none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-limit -d 'New incidents that are told one by one in a time; those beyond are told in sum. `none` for all. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Either end may be the one' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-country -d 'Alert about any traffic with these countries. Whenever more than `--alert-min-bytes` move to or from them in an interval; two letters each, comma separated or repeated. Besides the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-asn -d 'The same of these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-new -d 'Alert the first time ever that more than `--alert-min-bytes` move to or from a `country`, or an AS (`asn`), in an interval; comma separated. What was seen is kept in `--state-dir`. Besides the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-new-after -d 'How long this host is watched before `--alert-new` alerts' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-quiet-start -d 'No alert before as many intervals have passed as a window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-learn -d 'Let unusual intervals become part of what is usual. Default: false, with `--compat` true' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-learn-after -d 'A change that lasts for this long becomes the usual all the same' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-key-scope -d 'Whose incidents are the same, for those who receive alerts of several agents: `host` what agents on one host see, `network` what any agent sees' -r -f -a "host\t'Those of agents on one host: what two hosts see of a transfer are two incidents'
network\t'Those of all agents: what two hosts see of a transfer is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-label -d 'What is added to every alert for those who receive it, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l geo -d 'Where the country and the AS of addresses come from: `auto`, files of the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack; `built-in`, only the latter; `off`; or such files, comma separated or repeated. SIGHUP reads them again. Default: `auto`; in a replay `built-in`, so that it gives the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They count before /etc/hosts, which is read live. SIGHUP reads them again' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l passive-dns -d 'Learn names from the DNS answers that pass: an address then has the name that was asked for. A name counts until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l resolve -d 'Ask the system for the names of addresses that have none else (reverse DNS). This tells the resolver which addresses this host talks to. Nothing waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret, and others can read a command line: better put it in the environment. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-channel -d 'Channel, for webhooks that let it be chosen' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-emoji -d 'Emoji to use as the icon; the icon\'s URL is used where this is empty' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each. They move to `--archive-dir` when the group is alerted about, and are removed when it is forgotten without an alert, or the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l archive-dir -d 'Directory of the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-pcap-rotations -d 'Files of logged packets of one group: before an alert the oldest makes room; after one the log ends there' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-ring -d 'Keep the heads of the last packets of all watched traffic in this much memory, and write those of a group beside each alert about it, as pcapng. Such as 64MB. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-max-size -d 'Bytes of evidence on disk at the most, in both directories together. Packets of groups that nothing was said about make room, those of alerts never do: what does not fit beside them is not written, counted and said' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l ipfix -d 'Send what each flow moved in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`, port 4739 where none is named. May be repeated. What is sent: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l ipfix-rate -d 'Flow records a second for each collector at the most, on average over an interval. The largest flows have records of their own; the others are summed up, for each interface and direction, in records that say so' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history -d 'Keep what was moved by whom in this file, for `wherefore history`; `none` keeps nothing. Default: `history.db` in the state directory; a replay keeps nothing' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history-keep -d 'How far the history reaches back. The last day is kept by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history-size -d 'How large the history may become: then older parts become coarse, and go, earlier. At least 8MB' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from help" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and say what came back'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "run" -d 'Watch interfaces, live'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "top" -d 'Watch live in the terminal. Attached to the agent that runs, else counting by itself; or a capture, replayed'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "doctor" -d 'Check this machine. What works, what does not, what that costs and how to mend it. Exit code 1 if something does not work'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "replay" -d 'Read capture files as if they were live, on their own time. Needs no privilege'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "backtest" -d 'Say what would have alerted. When, and at which budget, over captures, flows or series'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "history" -d 'Who moved what, and when. Asks the file that the agent keeps. Needs no privilege but to read it'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "why" -d 'Why an address, process or country stands out, in sentences. What it moved, with whom, since when, and what the detector thinks of it'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "score" -d 'The detector as a filter. Numbers in, one JSON object a line out'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "geo" -d 'Print what is known of addresses: name, country, AS. One JSON object a line where standard output is no terminal'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "config" -d 'Check, show or print the configuration. What the options come to, from command line, environment and file'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "alert" -d 'Try the sinks of alerts'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "generate" -d 'Print what is made from the definition of the options'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Say everything that is wrong with them; exit code 2 if anything is'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Show each with its value and where it is from. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from alert" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and say what came back'
