# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wherefore_global_optspecs
    string join \n i/interface= daq= attach= attach-order= bpf-debug= bpf-object= s/snaplen= w/read-timeout= pcapfile= socket= sandbox= duration= config= host-name= transfer-interval= group-by= max-flows= expire-after= top= flows= alerts= series= l/log-dir= sink= state-dir= loglevel= filter-ip-cidr= filter-bool= filter-src= filter-dst= f/pcap-filter= filter-exclude= compat= anom-methods= anom-active-size= anom-n-seasons= anom-gv-cap= anom-sensitivity= anom-lower-bound= anom-upper-bound= alert-budget= alert-kinds= alert-threshold= alert-min-bytes= alert-repeat= alert-resolve= alert-cooldown= alert-limit= alert-allow= alert-country= alert-asn= alert-new= alert-new-after= alert-quiet-start= alert-learn= alert-learn-after= alert-key-scope= alert-label= geo= names= passive-dns= resolve= slack-url= slack-channel= slack-emoji= slack-icon= log-packets= archive-dir= max-pcap-log-size= max-pcap-rotations= evidence-ring= evidence-snaplen= evidence-max-size= ipfix= ipfix-rate= otlp= otlp-rate= otlp-header= otlp-ca-file= kafka= kafka-alert-topic= kafka-rate= kafka-option= history= history-keep= history-size= attribution= show-arguments= hide-processes= listen= listen-token-file= h/help V/version
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

complete -c wherefore -n "__fish_wherefore_needs_command" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_needs_command" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_needs_command" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_needs_command" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_needs_command" -s V -l version -d 'Print version'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "run" -d 'Watch interfaces, live'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "top" -d 'Show a live view in the terminal. It attaches to a running agent, or counts by itself, or replays a capture'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "doctor" -d 'Check this machine. Prints what works, what does not, the consequence and the fix. The exit code is 1 if something does not work'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "replay" -d 'Replay capture files as if they were live, on their own time. Needs no privilege'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "backtest" -d 'Show what would have been reported. Prints when, and at which budget, for captures, flows or series'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "history" -d 'Show who transferred what, and when. Reads the file that the agent keeps; needs no privilege but to read it'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "why" -d 'Explain an address, process or country in sentences. What it transferred, with whom, since when, its baseline and its incidents'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "score" -d 'Run a detector on numbers. Writes one JSON object a line'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "geo" -d 'Print the name, country and AS of addresses. Writes one JSON object a line if standard output is not a terminal'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "config" -d 'Check, show or print the configuration. It combines the command line, the environment and the file'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "alert" -d 'Test the sinks of alerts'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "generate" -d 'Print documents generated from the definition of the options'
complete -c wherefore -n "__fish_wherefore_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l replay -d 'Replay these capture files instead of live traffic' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l speed -d 'Speed of a replay, as a multiple of the recorded speed' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l reorder -d 'Number of intervals of a replay that stay open for packets out of order; see `replay`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l json -d 'Print the results as JSON' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l reorder -d 'Number of intervals that stay open for packets that are out of order. Packets that come even later are counted in the oldest open interval, and as late' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l no-progress -d 'Do not show progress' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l at-budget -d 'Show what would have alerted at this budget; may be repeated. The first is shown in detail. Default: 1/day, 10/day and 100/day, the second in detail' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l svg -d 'Draw traffic and incidents to this file, as SVG' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l json -d 'Write JSON Lines, which is the default if standard output is not a terminal' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l reorder -d 'Number of intervals of a capture that stay open, as in `replay`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l no-progress -d 'Do not show progress' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l config -d 'Judge with the options of this configuration file; those of sinks, evidence and outputs are ignored. Default: none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l host-name -d 'The name of the host in alerts. Default: that of this host' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l transfer-interval -d 'Length of an interval: how often traffic is judged. Default: for flows and CSV, the difference of the first two times; for captures 5s' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Default: 4,194,304' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l loglevel -d 'The lowest severity that is logged: debug, info, warn, error' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand backtest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l since -l from -d 'Start of the period: `yesterday`, `today`, `monday`, `2h` or `3 days` (ago), `14:00`, `2026-11-28`, `2026-11-28 14:00`, or RFC 3339. Times are in this host\'s time zone. Default: 24h ago' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l to -l until -d 'End of the period, in the same formats. Default: now' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l by -d 'What each row is about' -r -f -a "process\t'The program that a process of this host runs'
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
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l top -d 'The most rows; the others are summed up in one row' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -s i -l interface -d 'Show only traffic of this interface. A packet that passes several interfaces is counted at each' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l plot -d 'Also plot all traffic over time' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l json -d 'Write one JSON object' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l csv -d 'Write CSV' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l history -d 'The file of the history. Default: `history.db` in the state directory' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -l state-dir -d 'The state directory of the agent. Default: `/var/lib/wherefore`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l since -l from -d 'Start of the period, in the formats of `history`. Default: 24h ago' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l to -l until -d 'End of the period. Default: now' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l socket -d 'Ask the agent with this socket for the current state. Default: `/run/wherefore/view.sock`, if an agent uses it' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l json -d 'Write the facts as one JSON object' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l history -d 'The file of the history. Default: `history.db` in the state directory' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -l state-dir -d 'The state directory of the agent. Default: `/var/lib/wherefore`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand why" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l series-per-line -d 'Read one series a line, comma separated, oldest point first; write a line with as many scores: 0 is ordinary, higher is rarer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l detector -d 'The detector to use. Default: `flow`, or `lytics` if the Go tool\'s methods are named' -r -f -a "flow\t'For short, bursty series of flows: -log10 of a rarity'
aggregate\t'For long, seasonal series of hosts, interfaces, prefixes: -log10 of a rarity'
lytics\t'The seven methods of the Go tool: a probability'"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand score" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand geo" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "check" -d 'Print all errors in the options; the exit code is 2 if there are any'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "show" -d 'Print each option with its value and its origin. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and not __fish_seen_subcommand_from check show default help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s i -l interface -d 'Interfaces to watch: names, patterns such as `veth*`, or `any`. Comma separated or repeated. The agent follows interfaces that appear and disappear. Default: the interface of the default route, even if this changes; without a default route, the busiest interface that is up' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l daq -d 'Where packets are counted: `ebpf` in the kernel, `libpcap` in this process; `auto` in the kernel if that works, otherwise in this process' -r -f -a "auto\t'eBPF if it works, otherwise libpcap; the log says which, and why'
ebpf\t'In the kernel'
libpcap\t'In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attach -d 'How eBPF programs are attached. `auto` uses tcx, or clsact on kernels before 6.6. `xdp` counts received frames before GRO, and disables GRO on some devices. `xdp-generic` does not know the number of segments of a GRO packet, and counts it as one. Sent packets are always counted at TC' -r -f -a "auto\t'tcx if the kernel has it, otherwise clsact'
tcx\t'TCX links (Linux 6.6)'
clsact\t'Filters of the clsact qdisc'
xdp\t'XDP in the driver'
xdp-generic\t'XDP in the network stack'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attach-order -d 'Position among other programs on the same hook, which may decide about a packet and end the chain (Cilium\'s do). `first`: sees every packet that the device receives or is about to send; the others run after it as before. `last`: sees only packets that the others let through' -r -f -a "first\t'Before all other programs'
last\t'After all other programs'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l bpf-debug -d 'Log packets that the kernel programs could not put in a flow (with `--loglevel debug`)' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l bpf-object -d 'Load this eBPF object instead of the built-in one' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s s -l snaplen -d 'Bytes of each packet that libpcap captures, and that `--log-packets` keeps (at most 65,536 with eBPF)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s w -l read-timeout -d 'How long libpcap may buffer packets before it delivers them; at most 100 ms, so that intervals end on time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l pcapfile -d 'Read this capture file instead of an interface, like `wherefore replay FILE`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l socket -d 'Socket that `wherefore top` attaches to; this user and group may connect. Default: `view.sock` in the directory that systemd sets (`RUNTIME_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l sandbox -d 'Once attached, give up access to files, ports and system calls that is not needed. Use `off` if the sandbox denies something that you need; the log says what it denies' -r -f -a "on\t'Landlock and seccomp, as far as the kernel supports them. Not possible with a command sink'
off\t'Capabilities only'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l duration -d 'Stop after this time' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l attribution -d 'How the process behind each flow is found. `kernel`: by the socket of each packet, exactly, even if the process has ended (eBPF). `proc`: by the sockets and open files at the end of each interval; sockets that were closed earlier have no owner. `auto`: `kernel` if it works, otherwise `proc`. `off`: not at all. If `kernel` is asked for and impossible, the agent does not start' -r -f -a "auto\t''
kernel\t''
proc\t''
off\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l show-arguments -d 'Show the command lines of processes. They may contain secrets' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l hide-processes -d 'Hide names, PIDs and programs of processes: show only users, units, containers and pods' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l listen -d 'Serve metrics for Prometheus, health, JSON and a page at this address, such as `127.0.0.1:9475`. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -l listen-token-file -d 'File with a token of at least 16 characters; clients must send it (`Authorization: Bearer TOKEN`). Needed unless `--listen` is a loopback address' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from default" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Print all errors in the options; the exit code is 2 if there are any'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print each option with its value and its origin. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -s h -l help -d 'Print help'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and print the answers'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and not __fish_seen_subcommand_from test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l config -d 'The configuration file, `none` for none. Default: `/etc/wherefore/wherefore.toml` if it exists; `replay` and `backtest` read none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l host-name -d 'The name of this host in alerts. Default: its host name' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l transfer-interval -d 'Length of an interval: how often traffic is collected and judged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l group-by -d 'What forms one group for detection' -r -f -a "pair\t'Source address -> destination address'
flow\t'Source and destination address and port, protocol'
src\t'Source address'
dst\t'Destination address'
peer-prefix\t'The peer\'s network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the source of received packets and the destination of sent packets. Capture files do not record the direction: there it is the address that is not private'
country\t'The peer\'s country, with separate groups for each direction'
asn\t'The peer\'s AS, with separate groups for each direction'
name\t'The peer\'s name, or its address if it has none, with separate groups for each direction'
process\t'The process of this host, by the name of its program file, so that a restarted process continues the same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by the reason, such as [kernel]. Live only'
unit\t'The systemd unit; otherwise like `process`'
container\t'The container, by its name or 12 digits of its id; otherwise like `process`'
pod\t'The Kubernetes pod, by namespace and name or its UID; otherwise like `process`'
user\t'The user; otherwise like `process`'
interface\t'All traffic of an interface, with separate groups for each direction'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-flows -d 'The most flows in an interval, and the most groups with a history. Further flows are counted as overflow. The kernel\'s table has this guaranteed capacity, and up to three times that, depending on hashing. Default: 131,072 flows in the kernel and 262,144 groups; in a replay 4,194,304 of both' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l expire-after -d 'Intervals without traffic after which a group is forgotten. Default: 720; with the Go tool\'s methods 60' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l top -d 'Number of rows in the table of the largest groups' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l flows -d 'Write flows as JSON Lines. A live agent appends the flows of each interval to the file; a replay replaces its content by the flows of all captures' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alerts -d 'Write alerts as JSON Lines. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l series -d 'Write the traffic of each group in each interval as JSON Lines, to tune detection. Appends to the file or replaces its content, as for `--flows`' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s l -l log-dir -d 'Directory for `wherefore_anomalies.log`, and for the packets of `--log-packets`. The agent creates it if it is missing, but not its parents' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l sink -d 'Send alerts to this receiver: `slack,url=file:/etc/wherefore/slack`. A kind and its settings, comma separated; may be repeated. Write a comma in a value as `\\,`. Kinds and settings: docs/alerts.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l state-dir -d 'Directory for state that survives a restart. This is undelivered alerts, open incidents and baselines. Default: the directory that systemd sets (`STATE_DIRECTORY`), otherwise none' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l loglevel -d 'The lowest severity that is logged. `fatal` and `panic` mean `error`' -r -f -a "trace\t''
debug\t''
info\t''
warn\t''
error\t''
fatal\t''
panic\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-ip-cidr -d 'Prefixes to watch, comma separated or repeated. Default: everything is watched' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-bool -d 'With `false`, watch only traffic outside of `--filter-ip-cidr`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-src -d 'Compare only the source address. Without this and `--filter-dst`, either address may match' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-dst -d 'Compare only the destination address' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s f -l pcap-filter -d 'Watch only matching traffic, in tcpdump\'s language (pcap-filter(7)): `tcp port 443 and not net 10.0.0.0/8`. A packet must match both this and the prefixes. The kernel evaluates protocols, hosts, nets and ports; any other expression needs libpcap (`--daq libpcap`, which `auto` then chooses) or a replay' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l filter-exclude -d 'Prefixes not to watch. The longest prefix that contains an address decides' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l compat -d 'Use exactly the Go tool\'s defaults, which alert only about new flows: eth0 by libpcap, only TCP over IPv4; methods diff, fence, highrank, lowrank, magnitude; sensitivity 2; upper bound 5; no warm-up, an alert in each interval, and no minimum of bytes. Explicit options still apply' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-methods -d 'Judge by these methods of the Go tool, and alert if their probability is high: magnitude, diff, highrank, lowrank, cdf, fence, ks. Without this and the other anom options (except --anom-gv-cap), detection is by rarity (docs/detection.md); with any of them, the default is magnitude, diff, highrank, lowrank' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-active-size -d 'Number of newest points of the window that are judged. Default: 1' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-n-seasons -d 'Size of the reference, which is the points before them, in multiples of the active size. Default: 4' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-gv-cap -d 'Number of points that are kept and tested for each group. Default: 10' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-sensitivity -d 'The smallest change that counts, as a fraction of the reference (for the magnitude method, which never exceeds 1). Default: 1, which means a change to at least twice the reference, or to 0' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-lower-bound -d 'Lower bound of the fence method, in bytes an interval; NA or 5e-324 for none. Default: NA' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l anom-upper-bound -d 'Upper bound of the fence method, in bytes an interval. Default: 10,000,000' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-budget -d 'How many incidents ordinary traffic may cause. A number in an hour, a day or a week: the agent learns how rare a finding must be to keep to this budget. Default: 10/day' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-kinds -d 'Kinds of alerts. Separated by commas or repeated: volume, flood, reflection, scan, sweep, upload, beacon, stop, new-network. `KIND=2` allows a kind twice the rate; 1 is the default. `-KIND` enables all kinds except this one: `--alert-kinds=-beacon,-stop`. Default: all' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-threshold -d 'An incident begins if its probability is above this, whatever the budget. With the Go tool\'s methods it is their probability (default: 0.6). Otherwise it is the probability that an ordinary interval of this host has nothing as rare: 0.999 means once in 1,000 intervals' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-min-bytes -d 'The smallest change of a volume that is reported, in bytes. Default: 100,000; 0 with the fence method, which has its own bound' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-repeat -d 'The shortest time between two reports about an incident that continues. It is a minute if the incident becomes more severe or reaches ten times the volume. Default: 5m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-resolve -d 'Number of quiet intervals after which an incident is over' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-cooldown -d 'After an incident is over, the same is not reported again for this time, unless it lasts longer, is more severe or ten times as large. After each further report within six hours, the time is four times as long. Default: 5m; none with `--compat`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-limit -d 'The most new incidents in a given time that are reported one by one; further ones are reported in a summary. `none` for no limit. Default: 20/10m' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-allow -d 'Traffic that is counted and shown, but not judged. An address or prefix, a port, or both, comma separated or repeated: `192.0.2.0/24`, `873`, `udp/53`, `192.0.2.7:22`, `[2001:db8::1]:22`. Traffic matches if either of its ends does' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-country -d 'Alert about any traffic with these countries. That is, when more than `--alert-min-bytes` move to or from them in an interval. Two letters each, comma separated or repeated. Does not use the budget' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-asn -d 'Alert about any traffic with these autonomous systems: `AS4134` or `4134`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-new -d 'Alert the first time that more than `--alert-min-bytes` move to or from a `country` or an AS (`asn`) in an interval; comma separated. The countries and AS that were seen are stored in `--state-dir`. Does not use the budget. Default: neither' -r -f -a "country\t'A country'
asn\t'An AS'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-new-after -d 'How long this host is watched before `--alert-new` reports anything' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-quiet-start -d 'Warm-up: no alert until as many intervals have passed as the window has points (`--anom-gv-cap`). Default: true; false with `--compat` and with the fence method, which needs no history' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-learn -d 'Also update the baseline during an incident. Default: false; true with `--compat`' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-learn-after -d 'A change that lasts this long becomes part of the baseline, even during an incident' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-key-scope -d 'Which agents use the same key for the same incident, for receivers that get alerts from several agents: `host` for agents on one host, `network` for all agents' -r -f -a "host\t'Agents on one host: a transfer that two hosts see is two incidents'
network\t'All agents: a transfer that two hosts see is one incident'"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l alert-label -d 'Label to add to every alert, comma separated or repeated' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l geo -d 'Sources of the country and AS of addresses. `auto`: files in the MaxMind format in /var/lib/GeoIP, /usr/share/GeoIP and /usr/local/share/GeoIP, and the built-in data for what these lack. `built-in`: only the built-in data. `off`: none. Or the names of such files, comma separated or repeated. SIGHUP reloads them. Default: `auto`; in a replay `built-in`, so that the output is the same everywhere' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l names -d 'Files with names of addresses, comma separated or repeated: an address and its name on each line, as in /etc/hosts. They take precedence over /etc/hosts, which a live agent also reads. SIGHUP reloads them' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l passive-dns -d 'Learn names from DNS answers seen on the wire: an address gets the name that was asked for. A name is valid until an hour after its answer has expired' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l resolve -d 'Ask the system (reverse DNS) for names of addresses that have no name yet. This reveals to the resolver which addresses this host talks to. The agent never waits for an answer' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-url -d 'Incoming webhook to send alerts to. It is a secret and other users can read the command line, so prefer an environment variable. Default: none' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-channel -d 'Channel, for webhooks that allow choosing it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-emoji -d 'Emoji to use as the icon; if it is empty, the icon\'s URL is used' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l slack-icon -d 'Picture to use as the icon' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l log-packets -d 'Log the packets of each tracked group to pcap files in the `-l` directory: up to `-s` bytes of each packet. They move to `--archive-dir` when the group causes an alert. They are removed when the group is forgotten without an alert, or when the agent ends' -r -f -a "true\t''
false\t''"
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l archive-dir -d 'Directory for the packets of alerts. It may be the `-l` directory, which is the default' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-pcap-log-size -d 'Size of one file of logged packets, in megabytes (1,000,000 bytes)' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l max-pcap-rotations -d 'Number of files of logged packets for one group. Before an alert, the oldest file is replaced; after an alert, logging stops when all are full' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-ring -d 'Keep the first bytes of the latest packets of all watched traffic in this much memory, such as 64MB. When a group causes an alert, its packets are written to a file, as pcapng. Default: off' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-snaplen -d 'Bytes of each packet that `--evidence-ring` keeps' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l evidence-max-size -d 'The most bytes of evidence on disk, in both directories together. Packets of groups without an alert are removed to make space; those of alerts never are. Packets for which no space is left are not written, but counted and logged' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l ipfix -d 'Send the traffic of each flow in each interval to this collector, as IPFIX: `udp://HOST:PORT` or `tcp://HOST:PORT`; the default port is 4739. May be repeated. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l ipfix-rate -d 'The most flow records a second for each collector, on average over an interval. The largest flows have records of their own; the others are summed up by interface and direction, in records marked as sums' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l otlp -d 'Send flows and alerts as logs, and counters as metrics, to this receiver of OpenTelemetry\'s protocol: `http://HOST:PORT` (default port 4318), `grpc://HOST:PORT` (4317), or with TLS `https://` or `grpcs://` (443). A path may follow HOST:PORT over HTTP. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l otlp-rate -d 'The most flow records a second for the receiver, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l otlp-header -d 'Header of each request to the receiver, for example for authorisation; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l otlp-ca-file -d 'Certificates (PEM) to trust for the receiver in addition to the system\'s' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l kafka -d 'Send flows and alerts to Kafka, as JSON: `HOST:PORT,HOST:PORT/TOPIC`, with some of the brokers and the topic of flows; the default port is 9092. Only in a program that was built with `--features kafka`. Contents: docs/export.md' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l kafka-alert-topic -d 'The topic of alerts; by default that of flows with `-alerts` behind it' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l kafka-rate -d 'The most flow records a second for Kafka, on average over an interval; the rest is summed up as with `--ipfix-rate`' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l kafka-option -d 'A property of librdkafka, for example for TLS or SASL; may be repeated. The value may be `file:PATH` or `env:NAME`, read at the start' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history -d 'Record who transferred what in this file, for `wherefore history`; `none` for no record. Default: `history.db` in the state directory; none in a replay' -r -F
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history-keep -d 'How long the history is kept: the last day by minutes, the last week by hours, the rest by days' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -l history-size -d 'The largest size of the history file, at least 8MB. When the file approaches it, older parts are coarsened and removed earlier' -r
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from help" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and print the answers'
complete -c wherefore -n "__fish_wherefore_using_subcommand alert; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "run" -d 'Watch interfaces, live'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "top" -d 'Show a live view in the terminal. It attaches to a running agent, or counts by itself, or replays a capture'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "doctor" -d 'Check this machine. Prints what works, what does not, the consequence and the fix. The exit code is 1 if something does not work'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "replay" -d 'Replay capture files as if they were live, on their own time. Needs no privilege'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "backtest" -d 'Show what would have been reported. Prints when, and at which budget, for captures, flows or series'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "history" -d 'Show who transferred what, and when. Reads the file that the agent keeps; needs no privilege but to read it'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "why" -d 'Explain an address, process or country in sentences. What it transferred, with whom, since when, its baseline and its incidents'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "score" -d 'Run a detector on numbers. Writes one JSON object a line'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "geo" -d 'Print the name, country and AS of addresses. Writes one JSON object a line if standard output is not a terminal'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "config" -d 'Check, show or print the configuration. It combines the command line, the environment and the file'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "alert" -d 'Test the sinks of alerts'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "generate" -d 'Print documents generated from the definition of the options'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and not __fish_seen_subcommand_from run top doctor replay backtest history why score geo config alert generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Print all errors in the options; the exit code is 2 if there are any'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print each option with its value and its origin. Secrets are not shown'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "default" -d 'Print a configuration file with every option, its documentation and its default'
complete -c wherefore -n "__fish_wherefore_using_subcommand help; and __fish_seen_subcommand_from alert" -f -a "test" -d 'Send a test alert through each sink, or the named ones, and print the answers'
