//! The actions that policies may name: the list of each service that Refract answers for, and the names of the other
//! services of AWS.

use super::pattern::Pattern;

/// The actions of a service that has a list here; the service in lower case.
fn actions_of(service: &str) -> Option<&'static [&'static str]> {
    Some(match service {
        "iam" => IAM,
        "lambda" => LAMBDA,
        "refract" => REFRACT,
        "s3" => S3,
        "s3-object-lambda" => S3_OBJECT_LAMBDA,
        "s3express" => S3EXPRESS,
        "sts" => STS,
        _ => return None,
    })
}

/// Whether this is a service of AWS; the name in lower case.
pub(super) fn is_service(service: &str) -> bool {
    actions_of(service).is_some() || OTHER_SERVICES.binary_search(&service).is_ok()
}

/// Whether a pattern, in lower case, names an action of a service. The actions of services without a list are not
/// checked.
pub(super) fn names_an_action(service: &str, name: &Pattern) -> bool {
    actions_of(service).is_none_or(|actions| actions.iter().any(|action| name.matches_text(action)))
}

/// Whether a service with a list has an action of this name, whatever its case.
pub(super) fn has(service: &str, name: &str) -> bool {
    actions_of(service).is_some_and(|actions| actions.binary_search(&&*name.to_ascii_lowercase()).is_ok())
}

/// The action of a service that is nearest to a name, for a hint.
pub(super) fn nearest(service: &str, name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let actions = actions_of(service)?.iter();
    let (score, best) = actions
        .map(|action| (strsim::jaro_winkler(action, &name), *action))
        .max_by(|left, right| left.0.total_cmp(&right.0))?;
    (score > 0.85).then_some(best)
}

/// Actions of `iam`, in lower case, sorted.
#[rustfmt::skip]
const IAM: &[&str] = &[
    "acceptdelegationrequest", "addclientidtoopenidconnectprovider", "addroletoinstanceprofile",
    "addusertogroup", "associatedelegationrequest", "attachgrouppolicy", "attachrolepolicy",
    "attachuserpolicy", "changepassword", "createaccesskey", "createaccountalias", "createdelegationrequest",
    "creategroup", "createinstanceprofile", "createloginprofile", "createopenidconnectprovider",
    "createpolicy", "createpolicyversion", "createrole", "createsamlprovider", "createservicelinkedrole",
    "createservicespecificcredential", "createuser", "createvirtualmfadevice", "deactivatemfadevice",
    "deleteaccesskey", "deleteaccountalias", "deleteaccountpasswordpolicy", "deletecloudfrontpublickey",
    "deletegroup", "deletegrouppolicy", "deleteinstanceprofile", "deleteloginprofile",
    "deleteopenidconnectprovider", "deletepolicy", "deletepolicyversion", "deleterole",
    "deleterolepermissionsboundary", "deleterolepolicy", "deletesamlprovider", "deleteservercertificate",
    "deleteservicelinkedrole", "deleteservicespecificcredential", "deletesigningcertificate",
    "deletesshpublickey", "deleteuser", "deleteuserpermissionsboundary", "deleteuserpolicy",
    "deletevirtualmfadevice", "detachgrouppolicy", "detachrolepolicy", "detachuserpolicy",
    "disableorganizationsrootcredentialsmanagement", "disableorganizationsrootsessions",
    "disableoutboundwebidentityfederation", "enablemfadevice", "enableorganizationsrootcredentialsmanagement",
    "enableorganizationsrootsessions", "enableoutboundwebidentityfederation", "generatecredentialreport",
    "generateorganizationsaccessreport", "generateservicelastaccesseddetails", "getaccesskeylastused",
    "getaccountauthorizationdetails", "getaccountemailaddress", "getaccountname", "getaccountpasswordpolicy",
    "getaccountsummary", "getcloudfrontpublickey", "getcontextkeysforcustompolicy",
    "getcontextkeysforprincipalpolicy", "getcredentialreport", "getdelegationrequest", "getgroup",
    "getgrouppolicy", "gethumanreadablesummary", "getinstanceprofile", "getloginprofile", "getmfadevice",
    "getopenidconnectprovider", "getorganizationsaccessreport", "getoutboundwebidentityfederationinfo",
    "getpolicy", "getpolicyversion", "getrole", "getrolepolicy", "getsamlprovider", "getservercertificate",
    "getservicelastaccesseddetails", "getservicelastaccesseddetailswithentities",
    "getservicelinkedroledeletionstatus", "getsshpublickey", "getuser", "getuserpolicy", "listaccesskeys",
    "listaccountaliases", "listattachedgrouppolicies", "listattachedrolepolicies", "listattacheduserpolicies",
    "listcloudfrontpublickeys", "listdelegationrequests", "listentitiesforpolicy", "listgrouppolicies",
    "listgroups", "listgroupsforuser", "listinstanceprofiles", "listinstanceprofilesforrole",
    "listinstanceprofiletags", "listmfadevices", "listmfadevicetags", "listopenidconnectproviders",
    "listopenidconnectprovidertags", "listorganizationsfeatures", "listpolicies",
    "listpoliciesgrantingserviceaccess", "listpolicytags", "listpolicyversions", "listrolepolicies",
    "listroles", "listroletags", "listsamlproviders", "listsamlprovidertags", "listservercertificates",
    "listservercertificatetags", "listservicespecificcredentials", "listsigningcertificates",
    "listsshpublickeys", "liststsregionalendpointsstatus", "listuserpolicies", "listusers", "listusertags",
    "listvirtualmfadevices", "passrole", "putgrouppolicy", "putrolepermissionsboundary", "putrolepolicy",
    "putuserpermissionsboundary", "putuserpolicy", "rejectdelegationrequest",
    "removeclientidfromopenidconnectprovider", "removerolefrominstanceprofile", "removeuserfromgroup",
    "resetservicespecificcredential", "resyncmfadevice", "senddelegationtoken", "setdefaultpolicyversion",
    "setsecuritytokenservicepreferences", "setstsregionalendpointstatus", "simulatecustompolicy",
    "simulateprincipalpolicy", "taginstanceprofile", "tagmfadevice", "tagopenidconnectprovider", "tagpolicy",
    "tagrole", "tagsamlprovider", "tagservercertificate", "taguser", "untaginstanceprofile", "untagmfadevice",
    "untagopenidconnectprovider", "untagpolicy", "untagrole", "untagsamlprovider", "untagservercertificate",
    "untaguser", "updateaccesskey", "updateaccountemailaddress", "updateaccountname",
    "updateaccountpasswordpolicy", "updateassumerolepolicy", "updatecloudfrontpublickey", "updategroup",
    "updateloginprofile", "updateopenidconnectproviderthumbprint", "updaterole", "updateroledescription",
    "updatesamlprovider", "updateservercertificate", "updateservicespecificcredential",
    "updatesigningcertificate", "updatesshpublickey", "updateuser", "uploadcloudfrontpublickey",
    "uploadservercertificate", "uploadsigningcertificate", "uploadsshpublickey",
];

/// Actions of `lambda`, in lower case, sorted.
#[rustfmt::skip]
const LAMBDA: &[&str] = &[
    "addlayerversionpermission", "addpermission", "checkpointdurableexecution", "createalias",
    "createcapacityprovider", "createcodesigningconfig", "createeventsourcemapping", "createfunction",
    "createfunctionurlconfig", "deletealias", "deletecapacityprovider", "deletecodesigningconfig",
    "deleteeventsourcemapping", "deletefunction", "deletefunctioncodesigningconfig",
    "deletefunctionconcurrency", "deletefunctioneventinvokeconfig", "deletefunctionurlconfig",
    "deletelayerversion", "deleteprovisionedconcurrencyconfig", "disablereplication", "enablereplication",
    "getaccountsettings", "getalias", "getcapacityprovider", "getcodesigningconfig", "getdurableexecution",
    "getdurableexecutionhistory", "getdurableexecutionstate", "geteventsourcemapping", "getfunction",
    "getfunctioncodesigningconfig", "getfunctionconcurrency", "getfunctionconfiguration",
    "getfunctioneventinvokeconfig", "getfunctionrecursionconfig", "getfunctionscalingconfig",
    "getfunctionurlconfig", "getlayerversion", "getlayerversionpolicy", "getpolicy",
    "getprovisionedconcurrencyconfig", "getruntimemanagementconfig", "invokeasync", "invokefunction",
    "invokefunctionurl", "listaliases", "listcapacityproviders", "listcodesigningconfigs",
    "listdurableexecutionsbyfunction", "listeventsourcemappings", "listfunctioneventinvokeconfigs",
    "listfunctions", "listfunctionsbycodesigningconfig", "listfunctionurlconfigs",
    "listfunctionversionsbycapacityprovider", "listlayers", "listlayerversions",
    "listprovisionedconcurrencyconfigs", "listtags", "listversionsbyfunction", "passcapacityprovider",
    "publishlayerversion", "publishversion", "putfunctioncodesigningconfig", "putfunctionconcurrency",
    "putfunctioneventinvokeconfig", "putfunctionrecursionconfig", "putfunctionscalingconfig",
    "putprovisionedconcurrencyconfig", "putruntimemanagementconfig", "removelayerversionpermission",
    "removepermission", "senddurableexecutioncallbackfailure", "senddurableexecutioncallbackheartbeat",
    "senddurableexecutioncallbacksuccess", "stopdurableexecution", "tagresource", "untagresource",
    "updatealias", "updatecapacityprovider", "updatecodesigningconfig", "updateeventsourcemapping",
    "updatefunctioncode", "updatefunctioncodesigningconfig", "updatefunctionconfiguration",
    "updatefunctioneventinvokeconfig", "updatefunctionurlconfig",
];

/// Actions of `refract`, the admin API, in lower case, sorted.
#[rustfmt::skip]
const REFRACT: &[&str] = &[
    "createkey",
    "deleteaccesspoint",
    "deleteaccount",
    "deletebucketquota",
    "deletefunction",
    "deletefunctionnetwork",
    "deletekey",
    "deleteobjectlambda",
    "deleterole",
    "deleteuser",
    "explainpolicy",
    "getaccesspoint",
    "getaccount",
    "getbucket",
    "getfunction",
    "getfunctionlogs",
    "getfunctionnetwork",
    "getfunctionplatform",
    "getmetrics",
    "getobjectlambda",
    "getrole",
    "getusage",
    "getuser",
    "listaccesspoints",
    "listaccounts",
    "listbuckets",
    "listfunctions",
    "listkeys",
    "listkmskeys",
    "listobjectlambdas",
    "listroles",
    "listusers",
    "previewfunction",
    "putaccesspoint",
    "putaccount",
    "putbucketquota",
    "putfunction",
    "putfunctionnetwork",
    "putkmskey",
    "putobjectlambda",
    "putrole",
    "putuser",
    "updatekey",
];

/// Actions of `s3`, in lower case, sorted.
#[rustfmt::skip]
const S3: &[&str] = &[
    "abortmultipartupload", "associateaccessgrantsidentitycenter", "bypassgovernanceretention",
    "createaccessgrant", "createaccessgrantsinstance", "createaccessgrantslocation", "createaccesspoint",
    "createaccesspointforobjectlambda", "createbucket", "createbucketmetadatatableconfiguration", "createjob",
    "createmultiregionaccesspoint", "createstoragelensgroup", "deleteaccessgrant",
    "deleteaccessgrantsinstance", "deleteaccessgrantsinstanceresourcepolicy", "deleteaccessgrantslocation",
    "deleteaccesspoint", "deleteaccesspointforobjectlambda", "deleteaccesspointpolicy",
    "deleteaccesspointpolicyforobjectlambda", "deleteaccesspointscope", "deletebucket",
    "deletebucketmetadatatableconfiguration", "deletebucketpolicy", "deletebucketwebsite", "deletejobtagging",
    "deletemultiregionaccesspoint", "deleteobject", "deleteobjecttagging", "deleteobjectversion",
    "deleteobjectversiontagging", "deletestoragelensconfiguration", "deletestoragelensconfigurationtagging",
    "deletestoragelensgroup", "describejob", "describemultiregionaccesspointoperation",
    "dissociateaccessgrantsidentitycenter", "getaccelerateconfiguration", "getaccessgrant",
    "getaccessgrantsinstance", "getaccessgrantsinstanceforprefix", "getaccessgrantsinstanceresourcepolicy",
    "getaccessgrantslocation", "getaccesspoint", "getaccesspointconfigurationforobjectlambda",
    "getaccesspointforobjectlambda", "getaccesspointpolicy", "getaccesspointpolicyforobjectlambda",
    "getaccesspointpolicystatus", "getaccesspointpolicystatusforobjectlambda", "getaccesspointscope",
    "getaccountpublicaccessblock", "getanalyticsconfiguration", "getbucketabac", "getbucketacl",
    "getbucketcors", "getbucketlocation", "getbucketlogging", "getbucketmetadatatableconfiguration",
    "getbucketnotification", "getbucketobjectlockconfiguration", "getbucketownershipcontrols",
    "getbucketpolicy", "getbucketpolicystatus", "getbucketpublicaccessblock", "getbucketrequestpayment",
    "getbuckettagging", "getbucketversioning", "getbucketwebsite", "getdataaccess",
    "getencryptionconfiguration", "getintelligenttieringconfiguration", "getinventoryconfiguration",
    "getjobtagging", "getlifecycleconfiguration", "getmetricsconfiguration", "getmultiregionaccesspoint",
    "getmultiregionaccesspointpolicy", "getmultiregionaccesspointpolicystatus",
    "getmultiregionaccesspointroutes", "getobject", "getobjectacl", "getobjectattributes",
    "getobjectlegalhold", "getobjectretention", "getobjecttagging", "getobjecttorrent", "getobjectversion",
    "getobjectversionacl", "getobjectversionattributes", "getobjectversionforreplication",
    "getobjectversiontagging", "getobjectversiontorrent", "getreplicationconfiguration",
    "getstoragelensconfiguration", "getstoragelensconfigurationtagging", "getstoragelensdashboard",
    "getstoragelensgroup", "initiatereplication", "listaccessgrants", "listaccessgrantsinstances",
    "listaccessgrantslocations", "listaccesspoints", "listaccesspointsforobjectlambda", "listallmybuckets",
    "listbucket", "listbucketmultipartuploads", "listbucketversions", "listcalleraccessgrants", "listjobs",
    "listmultipartuploadparts", "listmultiregionaccesspoints", "liststoragelensconfigurations",
    "liststoragelensgroups", "listtagsforresource", "objectowneroverridetobucketowner", "pausereplication",
    "putaccelerateconfiguration", "putaccessgrantsinstanceresourcepolicy",
    "putaccesspointconfigurationforobjectlambda", "putaccesspointpolicy",
    "putaccesspointpolicyforobjectlambda", "putaccesspointpublicaccessblock", "putaccesspointscope",
    "putaccountpublicaccessblock", "putanalyticsconfiguration", "putbucketabac", "putbucketacl",
    "putbucketcors", "putbucketlogging", "putbucketnotification", "putbucketobjectlockconfiguration",
    "putbucketownershipcontrols", "putbucketpolicy", "putbucketpublicaccessblock", "putbucketrequestpayment",
    "putbuckettagging", "putbucketversioning", "putbucketwebsite", "putencryptionconfiguration",
    "putintelligenttieringconfiguration", "putinventoryconfiguration", "putjobtagging",
    "putlifecycleconfiguration", "putmetricsconfiguration", "putmultiregionaccesspointpolicy", "putobject",
    "putobjectacl", "putobjectlegalhold", "putobjectretention", "putobjecttagging", "putobjectversionacl",
    "putobjectversiontagging", "putreplicationconfiguration", "putstoragelensconfiguration",
    "putstoragelensconfigurationtagging", "replicatedelete", "replicateobject", "replicatetags",
    "restoreobject", "submitmultiregionaccesspointroutes", "tagresource", "untagresource",
    "updateaccessgrantslocation", "updatebucketmetadatainventorytableconfiguration",
    "updatebucketmetadatajournaltableconfiguration", "updatejobpriority", "updatejobstatus",
    "updateobjectencryption", "updatestoragelensgroup",
];

/// Actions of `s3-object-lambda`, in lower case, sorted.
#[rustfmt::skip]
const S3_OBJECT_LAMBDA: &[&str] = &[
    "abortmultipartupload", "deleteobject", "deleteobjecttagging", "deleteobjectversion",
    "deleteobjectversiontagging", "getobject", "getobjectacl", "getobjectlegalhold", "getobjectretention",
    "getobjecttagging", "getobjectversion", "getobjectversionacl", "getobjectversiontagging", "listbucket",
    "listbucketmultipartuploads", "listbucketversions", "listmultipartuploadparts", "putobject",
    "putobjectacl", "putobjectlegalhold", "putobjectretention", "putobjecttagging", "putobjectversionacl",
    "putobjectversiontagging", "restoreobject", "writegetobjectresponse",
];

/// Actions of `s3express`, in lower case, sorted.
#[rustfmt::skip]
const S3EXPRESS: &[&str] = &[
    "createaccesspoint", "createbucket", "createsession", "deleteaccesspoint", "deleteaccesspointpolicy",
    "deleteaccesspointscope", "deletebucket", "deletebucketpolicy", "getaccesspoint", "getaccesspointpolicy",
    "getaccesspointscope", "getbucketpolicy", "getencryptionconfiguration", "getinventoryconfiguration",
    "getlifecycleconfiguration", "getmetricsconfiguration", "listaccesspointsfordirectorybuckets",
    "listallmydirectorybuckets", "listtagsforresource", "putaccesspointpolicy", "putaccesspointscope",
    "putbucketpolicy", "putencryptionconfiguration", "putinventoryconfiguration", "putlifecycleconfiguration",
    "putmetricsconfiguration", "tagresource", "untagresource",
];

/// Actions of `sts`, in lower case, sorted.
#[rustfmt::skip]
const STS: &[&str] = &[
    "assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "assumeroot",
    "decodeauthorizationmessage", "getaccesskeyinfo", "getcalleridentity", "getdelegatedaccesstoken",
    "getfederationtoken", "getservicebearertoken", "getsessiontoken", "getwebidentitytoken", "setcontext",
    "setsourceidentity", "taggetwebidentitytoken", "tagsession",
];

/// Services of AWS whose actions are not listed here, in lower case, sorted.
#[rustfmt::skip]
const OTHER_SERVICES: &[&str] = &[
    "a2c", "a4b", "access-analyzer", "account", "acm", "acm-pca", "aco-automation", "action-recommendations",
    "activate", "agentaccess-mcp", "aidevops", "aiops", "airflow", "airflow-serverless", "amplify",
    "amplifybackend", "amplifyuibuilder", "aoss", "apigateway", "app-integrations", "appconfig", "appfabric",
    "appflow", "application-autoscaling", "application-signals", "application-signals-mcp",
    "application-transformation", "applicationinsights", "appmesh", "appmesh-preview", "apprunner",
    "appstream", "appstudio", "appsync", "apptest", "aps", "arc-region-switch", "arc-zonal-shift", "arsenal",
    "artifact", "athena", "auditmanager", "autoscaling", "autoscaling-plans", "aws-external-anthropic",
    "aws-marketplace", "aws-marketplace-management", "aws-portal", "awsconnector", "b2bi", "backup",
    "backup-gateway", "backup-search", "backup-storage", "batch", "bcm-dashboards", "bcm-data-exports",
    "bcm-pricing-calculator", "bcm-recommended-actions", "bedrock", "bedrock-agentcore", "bedrock-mantle",
    "billing", "billingconductor", "braket", "budgets", "bugbust", "cases", "cassandra", "ce", "chatbot",
    "chime", "cleanrooms", "cleanrooms-ml", "cloud9", "clouddirectory", "cloudformation", "cloudfront",
    "cloudfront-keyvaluestore", "cloudhsm", "cloudsearch", "cloudshell", "cloudtrail", "cloudtrail-data",
    "cloudwatch", "codeartifact", "codebuild", "codecatalyst", "codecommit", "codeconnections", "codedeploy",
    "codedeploy-commands-secure", "codeguru", "codeguru-profiler", "codeguru-reviewer", "codeguru-security",
    "codepipeline", "codestar", "codestar-connections", "codestar-notifications", "codewhisperer",
    "cognito-identity", "cognito-idp", "cognito-sync", "comprehend", "comprehendmedical", "compute-optimizer",
    "config", "connect", "connect-campaigns", "consoleapp", "consolidatedbilling", "controlcatalog",
    "controltower", "cost-optimization-hub", "cur", "customer-verification", "databrew", "dataexchange",
    "datapipeline", "datasync", "datazone", "dax", "dbqms", "deadline", "detective", "devicefarm",
    "devops-guru", "directconnect", "discovery", "dlm", "dms", "docdb-elastic", "drs", "ds", "ds-data",
    "dsql", "dynamodb", "ebs", "ec2", "ec2-instance-connect", "ec2messages", "ecr", "ecr-public", "ecs",
    "ecs-mcp", "eks", "eks-auth", "eks-mcp", "elasticache", "elasticbeanstalk", "elasticfilesystem",
    "elasticloadbalancing", "elasticmapreduce", "elastictranscoder", "elemental-activations",
    "elemental-appliances-software", "elemental-inference", "elemental-support-cases",
    "elemental-support-content", "emr-containers", "emr-serverless", "entityresolution", "es", "events",
    "evidently", "evs", "execute-api", "finspace", "finspace-api", "firehose", "fis", "fms", "forecast",
    "frauddetector", "freertos", "freetier", "fsx", "gamelift", "gameliftstreams", "geo", "geo-maps",
    "geo-places", "geo-routes", "glacier", "globalaccelerator", "glue", "grafana", "greengrass",
    "groundstation", "groundtruthlabeling", "guardduty", "health", "health-agent", "healthlake", "honeycode",
    "identity-sync", "identitystore", "identitystore-auth", "imagebuilder", "importexport", "inspector",
    "inspector-scan", "inspector2", "inspector2-telemetry", "interconnect", "internetmonitor", "invoicing",
    "iot", "iot-device-tester", "iotanalytics", "iotdeviceadvisor", "iotevents", "iotfleethub",
    "iotfleetwise", "iotjobsdata", "iotmanagedintegrations", "iotsitewise", "iottwinmaker", "iotwireless",
    "iq", "iq-permission", "ivs", "ivschat", "kafka", "kafka-cluster", "kafkaconnect", "kendra",
    "kendra-ranking", "kinesis", "kinesisanalytics", "kinesisvideo", "kms", "lakeformation", "launchwizard",
    "lex", "license-manager", "license-manager-linux-subscriptions", "license-manager-user-subscriptions",
    "lightsail", "logs", "lookoutequipment", "lookoutmetrics", "lookoutvision", "m2", "machinelearning",
    "macie2", "managedblockchain", "managedblockchain-query", "mapcredits", "marketplacecommerceanalytics",
    "mechanicalturk", "mediaconnect", "mediaconvert", "mediaimport", "medialive", "mediapackage",
    "mediapackage-vod", "mediapackagev2", "mediastore", "mediatailor", "medical-imaging", "memorydb", "mgh",
    "mgn", "migrationhub-orchestrator", "migrationhub-strategy", "mobileanalytics", "mobiletargeting",
    "monitron", "mpa", "mq", "neptune-db", "neptune-graph", "network-firewall", "network-security-director",
    "networkflowmonitor", "networkmanager", "networkmanager-chat", "networkmonitor", "nimble",
    "notifications", "notifications-contacts", "nova-act", "oam", "observabilityadmin", "odb", "omics", "one",
    "opensearch", "opsworks", "opsworks-cm", "organizations", "osis", "outposts", "panorama",
    "partnercentral", "partnercentral-account-management", "payment-cryptography", "payments",
    "pca-connector-ad", "pca-connector-scep", "pcs", "personalize", "pi", "pipes", "polly", "pricing",
    "pricingplanmanager", "private-networks", "profile", "proton", "purchase-orders", "q", "qapps",
    "qbusiness", "qdeveloper", "qldb", "quicksight", "ram", "rbin", "rds", "rds-data", "rds-db", "redshift",
    "redshift-data", "redshift-serverless", "refactor-spaces", "rekognition", "repostspace", "researchstudio",
    "resiliencehub", "resource-explorer", "resource-explorer-2", "resource-groups", "rhelkb", "robomaker",
    "rolesanywhere", "route53", "route53-recovery-cluster", "route53-recovery-control-config",
    "route53-recovery-readiness", "route53domains", "route53globalresolver", "route53profiles",
    "route53resolver", "rtbfabric", "rum", "s3-outposts", "s3files", "s3tables", "s3vectors", "sagemaker",
    "sagemaker-data-science-assistant", "sagemaker-geospatial", "sagemaker-mlflow",
    "sagemaker-unified-studio-mcp", "savingsplans", "scheduler", "schemas", "scn", "sdb", "secretsmanager",
    "security-ir", "securityagent", "securityhub", "securitylake", "serverlessrepo", "servicecatalog",
    "servicediscovery", "serviceextract", "servicequotas", "ses", "shield", "signer", "signin",
    "simspaceweaver", "sms", "sms-voice", "snow-device-management", "snowball", "sns", "social-messaging",
    "sqlworkbench", "sqs", "ssm", "ssm-contacts", "ssm-guiconnect", "ssm-incidents", "ssm-quicksetup",
    "ssm-sap", "ssmmessages", "sso", "sso-directory", "sso-oauth", "states", "storagegateway", "support",
    "support-console", "supportapp", "supportplans", "sustainability", "swf", "synthetics", "tag", "tax",
    "textract", "thinclient", "timestream", "timestream-influxdb", "tiros", "tnb", "transcribe", "transfer",
    "transform", "transform-custom", "translate", "trustedadvisor", "ts", "user-subscriptions", "uxc",
    "vendor-insights", "verified-access", "verifiedpermissions", "voiceid", "vpc-lattice", "vpc-lattice-svcs",
    "vpce", "waf", "waf-regional", "wafv2", "wam", "wellarchitected", "wickr", "wisdom", "workdocs",
    "worklink", "workmail", "workmailmessageflow", "workspaces", "workspaces-instances", "workspaces-web",
    "xray",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_in_lower_case() {
        for table in [IAM, LAMBDA, REFRACT, S3, S3_OBJECT_LAMBDA, S3EXPRESS, STS, OTHER_SERVICES] {
            assert!(table.is_sorted());
            assert!(table.iter().all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase())));
        }
    }
}
