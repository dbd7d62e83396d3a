// 12 get cluster metadata (spec BP 4.2). Request: empty. Reply: cluster metadata.

import { type Codec, emptyCodec } from "../codec.ts";
import { type ClusterMetadata, clusterMetadataCodec } from "../records/cluster-metadata.ts";

export const getClusterMetadataRequestCodec = emptyCodec;

export type GetClusterMetadataReply = ClusterMetadata;

export const getClusterMetadataReplyCodec: Codec<GetClusterMetadataReply> = clusterMetadataCodec;
