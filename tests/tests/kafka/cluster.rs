//! librdkafka's own mock cluster, and a consumer that reads whole topics. Owns topics and partitions; refuses to know
//! what is in a record.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

/// The topics of flows and alerts.
pub(crate) const FLOWS: &str = "flows";
pub(crate) const ALERTS: &str = "flows-alerts";
const PARTITIONS: i32 = 8;
const BROKERS: i32 = 3;
/// How long a topic may take to be read.
const PATIENCE: Duration = Duration::from_secs(30);

/// A record as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// The brokers.
pub(crate) struct Cluster(pub(crate) MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(BROKERS).unwrap();
        for topic in [FLOWS, ALERTS] {
            cluster.create_topic(topic, PARTITIONS, BROKERS).unwrap();
        }
        Self(cluster)
    }

    /// The value of `--kafka`.
    pub(crate) fn target(&self) -> String {
        format!("{}/{FLOWS}", self.0.bootstrap_servers())
    }

    /// All records of a topic up to now.
    pub(crate) fn records(&self, topic: &str) -> Vec<Arrived> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.0.bootstrap_servers())
            .set("group.id", "tests")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_uncommitted")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let (mut records, mut ended, start) = (Vec::new(), 0, Instant::now());
        while ended < PARTITIONS {
            assert!(start.elapsed() < PATIENCE, "the topic {topic} has no end");
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => records.push(Arrived {
                    partition: message.partition(),
                    key: String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
                    value: serde_json::from_slice(message.payload().unwrap()).unwrap(),
                }),
                Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(error)) => eprintln!("{error}"),
                None => {}
            }
        }
        records
    }
}
