"""Which Terraform resource types are understood, and which never carry a security group though they name one."""

from __future__ import annotations

GROUP_TYPES = frozenset({"aws_security_group", "aws_default_security_group"})
STANDALONE_RULE_TYPES = frozenset(
    {"aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"}
)
PREFIX_LIST_TYPES = frozenset({"aws_ec2_managed_prefix_list", "aws_prefix_list"})
ATTACHING_TYPES = frozenset(
    {
        "aws_network_interface_sg_attachment",
        "aws_vpc_endpoint_security_group_association",
        "aws_network_interface_attachment",
        "aws_eip",
        "aws_eip_association",
    }
)
TOPOLOGY_TYPES = frozenset(
    {
        "aws_vpc",
        "aws_default_vpc",
        "aws_vpc_ipv4_cidr_block_association",
        "aws_vpc_ipv6_cidr_block_association",
        "aws_subnet",
        "aws_default_subnet",
        "aws_network_acl",
        "aws_default_network_acl",
        "aws_network_acl_rule",
        "aws_network_acl_association",
        "aws_route_table",
        "aws_default_route_table",
        "aws_route",
        "aws_route_table_association",
        "aws_main_route_table_association",
        "aws_internet_gateway",
        "aws_internet_gateway_attachment",
        "aws_egress_only_internet_gateway",
        "aws_nat_gateway",
        "aws_vpn_gateway",
        "aws_vpn_gateway_attachment",
        "aws_vpn_gateway_route_propagation",
        "aws_vpc_peering_connection",
        "aws_vpc_peering_connection_accepter",
        "aws_ec2_transit_gateway",
        "aws_ec2_transit_gateway_vpc_attachment",
        "aws_ec2_transit_gateway_vpc_attachment_accepter",
        "aws_ec2_transit_gateway_peering_attachment",
        "aws_ec2_transit_gateway_peering_attachment_accepter",
        "aws_ec2_transit_gateway_route_table",
        "aws_ec2_transit_gateway_route_table_association",
        "aws_ec2_transit_gateway_route_table_propagation",
        "aws_ec2_transit_gateway_route",
        "aws_ec2_transit_gateway_prefix_list_reference",
        "aws_vpc_endpoint_route_table_association",
        "aws_vpc_endpoint_subnet_association",
        "aws_vpc_block_public_access_options",
        "aws_vpc_block_public_access_exclusion",
    }
)
BALANCING_TYPES = frozenset(
    {
        "aws_lb_listener",
        "aws_alb_listener",
        "aws_lb_listener_rule",
        "aws_alb_listener_rule",
        "aws_lb_target_group",
        "aws_alb_target_group",
        "aws_lb_target_group_attachment",
        "aws_alb_target_group_attachment",
        "aws_elb_attachment",
        "aws_autoscaling_attachment",
    }
)
SUBNET_GROUP_TYPES = frozenset(
    {
        "aws_db_subnet_group",
        "aws_docdb_subnet_group",
        "aws_neptune_subnet_group",
        "aws_elasticache_subnet_group",
        "aws_memorydb_subnet_group",
        "aws_dax_subnet_group",
        "aws_redshift_subnet_group",
        "aws_dms_replication_subnet_group",
    }
)

# Resource type -> what people call the machine that it makes.
WORKLOAD_KINDS = {
    "aws_instance": "instance",
    "aws_spot_instance_request": "instance",
    "aws_network_interface": "network_interface",
    "aws_launch_template": "launch_template",
    "aws_launch_configuration": "launch_template",
    "aws_autoscaling_group": "autoscaling_group",
    "aws_spot_fleet_request": "fleet",
    "aws_ec2_fleet": "fleet",
    "aws_lb": "load_balancer",
    "aws_alb": "load_balancer",
    "aws_elb": "load_balancer",
    "aws_db_instance": "database",
    "aws_rds_cluster": "database",
    "aws_rds_cluster_instance": "database",
    "aws_docdb_cluster": "database",
    "aws_neptune_cluster": "database",
    "aws_db_proxy": "database",
    "aws_db_proxy_endpoint": "database",
    "aws_redshift_cluster": "database",
    "aws_redshiftserverless_workgroup": "database",
    "aws_elasticache_cluster": "cache",
    "aws_elasticache_replication_group": "cache",
    "aws_elasticache_serverless_cache": "cache",
    "aws_memorydb_cluster": "cache",
    "aws_dax_cluster": "cache",
    "aws_opensearch_domain": "search_domain",
    "aws_elasticsearch_domain": "search_domain",
    "aws_msk_cluster": "message_broker",
    "aws_msk_serverless_cluster": "message_broker",
    "aws_mq_broker": "message_broker",
    "aws_efs_mount_target": "file_system",
    "aws_fsx_lustre_file_system": "file_system",
    "aws_fsx_windows_file_system": "file_system",
    "aws_fsx_ontap_file_system": "file_system",
    "aws_fsx_openzfs_file_system": "file_system",
    "aws_dms_replication_instance": "replication_instance",
    "aws_lambda_function": "function",
    "aws_ecs_service": "container_service",
    "aws_ecs_task_set": "container_service",
    "aws_eks_cluster": "kubernetes_cluster",
    "aws_eks_node_group": "kubernetes_nodes",
    "aws_eks_fargate_profile": "kubernetes_nodes",
    "aws_directory_service_directory": "directory",
    "aws_workspaces_directory": "directory",
    "aws_vpc_endpoint": "vpc_endpoint",
    "aws_route53_resolver_endpoint": "resolver_endpoint",
    "aws_ec2_instance_connect_endpoint": "vpc_endpoint",
    "aws_apigatewayv2_vpc_link": "vpc_link",
    "aws_vpclattice_resource_gateway": "resource_gateway",
    "aws_transfer_server": "transfer_server",
    "aws_mwaa_environment": "environment",
    "aws_codebuild_project": "build_project",
    "aws_batch_compute_environment": "compute_environment",
    "aws_sagemaker_notebook_instance": "notebook",
    "aws_sagemaker_domain": "notebook",
    "aws_sagemaker_model": "model_endpoint",
    "aws_glue_connection": "data_connection",
    "aws_glue_dev_endpoint": "data_connection",
    "aws_emr_cluster": "cluster",
}

# Clouds with security groups of their own, which are none of AWS. Providers of others (a database service, a cluster
# autoscaler) are not listed: what names a group of AWS carries it, whoever makes it.
OTHER_CLOUDS = (
    *("azurerm_", "azapi_", "azuread_", "azurestack_", "google_", "alicloud_", "oci_", "ibm_", "openstack_"),
    *("opentelekomcloud_", "huaweicloud_", "flexibleengine_", "tencentcloud_", "volcengine_", "ucloud_", "baiducloud_"),
    *("ncloud_", "yandex_", "scaleway_", "exoscale_", "outscale_", "cloudstack_", "nsxt_", "vcd_", "nutanix_"),
)

# These name groups, and carry none: they hand the id on, describe it, or are rules.
NEVER_CARRIERS = (
    GROUP_TYPES
    | STANDALONE_RULE_TYPES
    | PREFIX_LIST_TYPES
    | ATTACHING_TYPES
    | TOPOLOGY_TYPES
    | BALANCING_TYPES
    | SUBNET_GROUP_TYPES
    | {
        "aws_vpc_security_group_rules_exclusive",
        "aws_vpc_security_group_vpc_association",
        "aws_ec2_managed_prefix_list_entry",
        "aws_ssm_parameter",
        "aws_ssm_document",
        "aws_ssm_association",
        "aws_secretsmanager_secret_version",
        "aws_s3_object",
        "aws_s3_bucket_object",
        "aws_ec2_tag",
        "aws_ram_resource_association",
        "aws_ram_resource_share",
        "aws_cloudformation_stack",
        "aws_cloudformation_stack_set",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_dynamodb_table_item",
        "aws_appconfig_hosted_configuration_version",
        "aws_config_config_rule",
        "aws_config_remediation_configuration",
        "aws_cloudwatch_event_target",
        "aws_cloudwatch_event_rule",
        "aws_cloudwatch_metric_alarm",
        "aws_cloudwatch_dashboard",
        "aws_fms_policy",
        "aws_resourcegroups_group",
        "aws_servicecatalog_provisioned_product",
        "aws_shield_protection",
        "aws_flow_log",
        "aws_sns_topic",
        "aws_sfn_state_machine",
    }
)

# Attributes below which a group's id is a mere text that is handed to a program.
MERE_TEXT = frozenset(
    {
        "tags",
        "tags_all",
        "environment",
        "environment_variables",
        "user_data",
        "user_data_base64",
        "container_definitions",
        "metadata",
        "triggers",
        "description",
        "parameters",
        "tag_specifications",
    }
)

MODELLED_TYPES: frozenset[str] = (
    GROUP_TYPES
    | STANDALONE_RULE_TYPES
    | PREFIX_LIST_TYPES
    | ATTACHING_TYPES
    | TOPOLOGY_TYPES
    | BALANCING_TYPES
    | SUBNET_GROUP_TYPES
    | frozenset(WORKLOAD_KINDS)
    | {
        "aws_vpc_security_group_rules_exclusive",
        "aws_vpc_security_group_vpc_association",
        "aws_ec2_managed_prefix_list_entry",
        "aws_security_groups",
        "aws_vpcs",
        "aws_subnets",
        "aws_subnet_ids",
        "aws_ec2_managed_prefix_lists",
    }
)
